/** Whether a server is DSpace or DSpace-CRIS: invitations into groups exist only on the latter. */
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { root } from './answers.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'
import type { Settings } from './settings.ts'

/** A server can be upgraded while we run. */
const askAgainMs = 3_600_000

export type Flavour = 'dspace' | 'cris'

export function createFlavour(
  session: Session,
  settings: Settings,
  now: () => number,
): (call: Call) => Promise<Flavour> {
  let known: { readonly flavour: Flavour; readonly at: number } | undefined
  return async (call) => {
    if (settings.flavour !== 'auto') return settings.flavour
    if (known === undefined || now() - known.at >= askAgainMs) known = { flavour: await ask(session, call), at: now() }
    return known.flavour
  }
}

async function ask(session: Session, call: Call): Promise<Flavour> {
  const request: PlatformRequest = { method: 'GET', path: ['api'] }
  const answer = await session.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  const { dspaceVersion, crisVersion } = parseAnswer(root, request, answer)
  // CRIS before 2023.02 says it only in dspaceVersion. Whatever cannot be read is plain DSpace, which must not get groups.
  return crisVersion || /cris/i.test(dspaceVersion ?? '') ? 'cris' : 'dspace'
}
