/** Somebody changes an account on the platform itself. */
import type { BridgeWorld } from '../bridge-world.ts'
import type { InnerAccount } from './accounts.ts'

export function changeByHand(
  { sandbox }: BridgeWorld,
  at: 'figshare' | 'dspace',
  account: InnerAccount,
  change: 'off' | 'on' | 'rename',
): void {
  if (at === 'figshare') {
    const found = sandbox.figshare.logic.state.accounts.get(Number(account.id))
    if (found === undefined) return
    if (change === 'rename') found.profile.last_name = 'Byhand'
    else found.active = change === 'on'
    return
  }
  const found = sandbox.dspace.logic.state.epersons.get(account.id)
  if (found === undefined) return
  if (change !== 'rename') found.canLogIn = change === 'on'
  else {
    const value = { value: 'Byhand', language: null, authority: null, confidence: -1 }
    found.metadata = new Map([...found.metadata, ['eperson.lastname', [value]]])
  }
}
