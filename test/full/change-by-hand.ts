/** Somebody changes an account on the platform itself. */
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { deleteUser } from '../../src/sandbox/ethosce/users.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import type { InnerAccount } from './accounts.ts'

/** `remove`: the account is gone. */
export type HandChange = 'off' | 'on' | 'rename' | 'remove'

const familyName = 'Byhand'

type Hand = (sandbox: Sandbox, account: InnerAccount, change: HandChange) => void

const hands: Readonly<Record<DemoPlatform, Hand>> = {
  figshare({ figshare }, { id }, change) {
    const found = figshare.logic.state.accounts.get(Number(id))
    if (found === undefined) return
    if (change === 'remove') figshare.logic.removeAccount(found.id)
    else if (change === 'rename') found.profile.last_name = familyName
    else found.active = change === 'on'
  },
  ethosce({ ethosce }, { id }, change) {
    const { state } = ethosce.logic
    const found = state.users.rows.get(Number(id))
    if (found === undefined) return
    const own = [...state.profiles.rows.values()].find((row) => row.user === found.uid)
    if (change === 'remove') deleteUser(state, found.uid, { endSessionsOf: () => undefined })
    else if (change === 'rename') own?.fields.set('field_last_name', familyName)
    else found.status = change === 'on' ? 1 : 0
  },
  openspecimen({ openspecimen }, { id }, change) {
    const found = openspecimen.logic.users.get(Number(id))
    if (found === undefined) return
    if (change === 'remove') {
      // As it is done there, the names are free again.
      const [loginName, emailAddress] = [found.loginName, found.emailAddress].map((name) => `${name}_${id}`)
      openspecimen.logic.changeUser(found.id, { activityStatus: 'Disabled', loginName, emailAddress })
    } else if (change === 'rename') found.lastName = familyName
    else found.activityStatus = change === 'on' ? 'Active' : 'Closed'
  },
  selfcommunity({ selfcommunity }, { id, givenName }, change) {
    const found = selfcommunity.logic.state.users.get(Number(id))
    if (found === undefined) return
    if (change === 'remove') selfcommunity.logic.removeUser(found.id)
    else if (change === 'rename') found.real_name = `${givenName} ${familyName}`
    else {
      found.status = change === 'on' ? 'a' : 'b'
      found.blockExpiresAt = null
    }
  },
  dspace({ dspace }, { id }, change) {
    const found = dspace.logic.state.epersons.get(id)
    if (found === undefined) return
    if (change === 'remove') dspace.logic.removeEPerson(found.email)
    else if (change !== 'rename') found.canLogIn = change === 'on'
    else {
      const value = { value: familyName, language: null, authority: null, confidence: -1 }
      found.metadata = new Map([...found.metadata, ['eperson.lastname', [value]]])
    }
  },
}

export function changeByHand(
  sandbox: Sandbox,
  platform: DemoPlatform,
  account: InnerAccount,
  change: HandChange,
): void {
  hands[platform](sandbox, account, change)
}
