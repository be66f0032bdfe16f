/** Changing a person: every refusal that can be foreseen comes before the first write. */
import { Absent, Conflict, Immutable, Unknown } from '../../errors.ts'
import type { Attributes, Json } from '../../facts.ts'
import type { Call } from '../platform.ts'
import { authnameTaken, type Creating, postAuthmap, postProfile } from './creating.ts'
import { authmapOf, type Person, profileOf, toProfileBody } from './person.ts'
import type { EthosceSettings } from './settings.ts'

export interface Updating extends Omit<Creating, 'confirm'> {
  readonly ssoKeyChange: EthosceSettings['ssoKeyChange']
  /** The one that the mapping asks for, as far as it is known. */
  readonly module: string | undefined
}

type SsoStep = { readonly kind: 'none' } | { readonly kind: 'post' } | { readonly kind: 'change'; readonly aid: number }

/** Writes `changes`, none of which the person has already. The caller reads back. */
export async function updatePerson(updating: Updating, call: Call, person: Person, changes: Attributes): Promise<void> {
  const user = pick(changes, ['name', 'mail'])
  const status = changes.get('status')
  // Somebody who leaves is off before anything else can be refused.
  if (status === 0) await putUser(updating, call, person.uid, { status })
  const sso = ssoOf(person, changes, updating.module)
  const step = planSso(updating, person, changes, sso)
  await refuseTaken(updating, call, person.uid, user)
  if (step.kind !== 'none') await refuseTakenAuthname(updating, call, person.uid, sso)
  // Somebody who returns is switched on last: whose other change is refused stays off, and gets no mail that says otherwise.
  const isReturning = status !== undefined && status !== 0
  if (isReturning) user.status = status
  else if (Object.keys(user).length > 0) await putUser(updating, call, person.uid, user)
  await writeSso(updating, call, person.uid, step, sso)
  await writeProfile(updating, call, person, changes)
  if (isReturning) await putUser(updating, call, person.uid, user)
}

/** Found before written: a taken name would be a bare 500, a taken mail would be accepted. */
async function refuseTaken({ people }: Updating, call: Call, uid: number, user: Record<string, Json>): Promise<void> {
  for (const property of ['name', 'mail'] as const) {
    const value = user[property]
    if (typeof value !== 'string') continue
    const others = (await people.usersWith(call, property, value)).filter((row) => row.uid !== uid)
    if (others.length === 0) continue
    throw new Conflict(
      `Another EthosCE account already has this ${property} (letter case and accents do not count); change one of the two.`,
      `the ${property} wanted for account ${uid} is taken`,
    )
  }
}

async function putUser({ site, people }: Updating, call: Call, uid: number, body: object): Promise<void> {
  const done = await site.put(call, 'user', uid, body)
  if (done === 'done') return
  if (done === 'absent' && (await people.usersWith(call, 'uid', String(uid))).length === 0) {
    throw new Absent(`account ${uid} is gone`)
  }
  throw new Unknown(
    `PUT /user/${uid} ${done === 'absent' ? 'answered 404 for an account that is there' : 'answered 500'}`,
  )
}

/** The pair that the person shall log in by, of what is new and what is there. */
function ssoOf(person: Person, changes: Attributes, module: string | undefined): Map<string, Json> {
  const row = authmapOf(person, module)
  const sso = new Map<string, Json>()
  if (row !== undefined) sso.set('authname', row.authname).set('module', row.module ?? null)
  return new Map([...sso, ...[...changes].filter(([name]) => name === 'authname' || name === 'module')])
}

function planSso(updating: Updating, person: Person, changes: Attributes, sso: Attributes): SsoStep {
  if (!changes.has('authname') && !changes.has('module')) return { kind: 'none' }
  const [authname, module] = [sso.get('authname'), sso.get('module')]
  if (person.authmaps.some((row) => row.authname === authname && row.module === module)) return { kind: 'none' }
  // The authname is unique over all modules, so the same one under another module is the row to change.
  const row = person.authmaps.find((one) => one.module === module || one.authname === authname)
  if (row === undefined) return { kind: 'post' }
  if (updating.ssoKeyChange !== 'refuse') return { kind: 'change', aid: row.aid }
  throw new Immutable(
    'EthosCE: the single sign-on key (authname, module) of an account that has one is not changed; keep it, change it in ' +
      'EthosCE, or allow it with the setting ssoKeyChange.',
    `account ${person.uid} has an authmap row already`,
  )
}

async function refuseTakenAuthname({ people }: Updating, call: Call, uid: number, sso: Attributes): Promise<void> {
  const authname = sso.get('authname')
  if (typeof authname !== 'string') return
  const others = (await people.authmapsWith(call, 'authname', authname)).filter((row) => row.uid !== uid)
  if (others.length > 0) throw authnameTaken(`the authname wanted for account ${uid} is taken`)
}

async function writeSso(updating: Updating, call: Call, uid: number, step: SsoStep, sso: Attributes): Promise<void> {
  if (step.kind === 'none') return
  if (step.kind === 'post') return postAuthmap(updating, call, uid, sso)
  if (updating.ssoKeyChange === 'put') {
    const done = await updating.site.put(call, 'authmap', step.aid, Object.fromEntries(sso))
    if (done !== 'done') throw new Unknown(`PUT /authmap/${step.aid} was not confirmed`)
    return
  }
  const done = await updating.site.delete(call, 'authmap', step.aid)
  if (done === 'failed') throw new Unknown(`DELETE /authmap/${step.aid} answered 500`)
  await postAuthmap(updating, call, uid, sso)
}

async function writeProfile(updating: Updating, call: Call, person: Person, changes: Attributes): Promise<void> {
  const profile = profileOf(person)
  const body = toProfileBody(changes, profile)
  if (body === undefined) return
  if (profile === undefined) return postProfile(updating, call, person.uid, changes)
  const done = await updating.site.put(call, 'profile2', profile.pid, body)
  if (done !== 'done') throw new Unknown(`PUT /profile2/${profile.pid} was not confirmed`)
}

function pick(changes: Attributes, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries([...changes].filter(([name]) => names.includes(name)))
}
