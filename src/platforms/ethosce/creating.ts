/** Making a person: user, single sign-on row, profile. Three writes without a transaction, undone when one is refused for good. */
import { Conflict, Fault, PlatformError, Refused, Unknown } from '../../errors.ts'
import type { Account, Attributes } from '../../facts.ts'
import type { Call } from '../platform.ts'
import type { People } from './people.ts'
import { toProfileBody } from './person.ts'
import type { Site } from './site.ts'

export interface Creating {
  readonly site: Site
  readonly people: People
  readonly profileType: string
  readonly profileLabel: string
  /** Reads the person and compares with what was sent. */
  confirm(call: Call, uid: number, attributes: Attributes): Promise<Account>
}

export async function createPerson(creating: Creating, call: Call, attributes: Attributes): Promise<Account> {
  requireModule(attributes)
  const uid = await postUser(creating, call, attributes)
  await call.created(String(uid))
  try {
    // Before the profile, because its key is unique: what can be refused goes first.
    await postAuthmap(creating, call, uid, attributes)
    await postProfile(creating, call, uid, attributes)
    return await creating.confirm(call, uid, attributes)
  } catch (error) {
    if (error instanceof PlatformError && error.rule.retry === 'stop') await undo(creating, call, uid, attributes)
    throw error
  }
}

async function postUser({ site, people }: Creating, call: Call, attributes: Attributes): Promise<number> {
  const name = textOf(attributes, 'name')
  // Without a status the account would be made blocked, and unblocking it mails the person.
  const body = { name, mail: textOf(attributes, 'mail'), status: attributes.get('status') ?? 1 }
  const uid = await site.post(call, 'user', body)
  if (uid !== undefined) return uid
  if ((await people.usersWith(call, 'name', name)).length > 0) {
    throw new Conflict(
      'Another EthosCE account already has this name (letter case and accents do not count); change one of the two.',
      'POST /user answered 500 and the name is taken',
    )
  }
  throw new Unknown('POST /user answered 500 and the name is free')
}

/** Also for a person who is there already without a row. */
export async function postAuthmap(
  { site, people }: Pick<Creating, 'site' | 'people'>,
  call: Call,
  uid: number,
  attributes: Attributes,
): Promise<void> {
  if (!attributes.has('authname')) return
  requireModule(attributes)
  const authname = textOf(attributes, 'authname')
  const made = await site.post(call, 'authmap', { uid, authname, module: textOf(attributes, 'module') })
  if (made !== undefined) return
  const holders = await people.authmapsWith(call, 'authname', authname)
  if (holders.some((row) => row.uid === uid && row.authname === authname)) return
  if (holders.length > 0) throw authnameTaken(`POST /authmap for account ${uid} failed and the authname is taken`)
  throw new Unknown(`POST /authmap for account ${uid} failed and the authname is free`)
}

export function authnameTaken(detail: string): Conflict {
  return new Conflict(
    'Another EthosCE account already has this authname; change it, or remove it from the other account.',
    detail,
  )
}

/** A second row of one type would shadow the first and make the person undeletable: after a lost answer, look. */
export async function postProfile(
  creating: Omit<Creating, 'confirm'>,
  call: Call,
  uid: number,
  attributes: Attributes,
) {
  const { site, people, profileType, profileLabel } = creating
  const fields = toProfileBody(attributes, undefined) ?? {}
  const body = { user: uid, label: profileLabel, type: profileType, ...fields }
  const made = await site.post(call, 'profile2', body)
  if (made !== undefined || (await people.profilesOf(call, uid)).length > 0) return
  throw new Unknown(`POST /profile2 for account ${uid} answered 500`)
}

/** Takes back the user that this very call has made. Left switched off where EthosCE will not delete it. */
async function undo({ site, people }: Creating, call: Call, uid: number, attributes: Attributes): Promise<void> {
  const [user] = await people.usersWith(call, 'uid', String(uid))
  if (user === undefined) return
  if (user.uid !== uid || user.name !== attributes.get('name')) {
    throw new Unknown(`account ${uid} was made, refused, and is now somebody else's`)
  }
  const isDone = await site.delete(call, 'user', uid).then(
    (done) => done === 'done',
    () => false,
  )
  if (isDone && (await people.usersWith(call, 'uid', String(uid))).length === 0) return
  if ((await site.put(call, 'user', uid, { status: 0 })) === 'done') return
  throw new Unknown(`account ${uid} was made, refused, and could be neither deleted nor blocked`)
}

function textOf(attributes: Attributes, name: string): string {
  const value = attributes.get(name)
  if (typeof value === 'string') return value
  throw new Fault(`ethosce: ${name} is missing`)
}

/** EthosCE would accept a row without it, by which nobody can log in. */
function requireModule(attributes: Attributes): void {
  if (!attributes.has('authname') || attributes.has('module')) return
  throw new Refused(
    'EthosCE: module is required with authname; the operator of the bridge has to name it in the mapping.',
    'ethosce: authname without module',
  )
}
