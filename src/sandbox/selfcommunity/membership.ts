/** Who is in a group. Without their parameter, `POST` and `DELETE …/subscribe/` are about the caller, not an error. */
import type { SimulatorAnswer } from '../simulator.ts'
import { forbidden, invalidField, noContent, notFound } from './answers.ts'
import { type Call, groupOf, managedGroup, type Route, signedIn, touch } from './call.ts'
import { fieldReader, readFields } from './input.ts'
import { page } from './pages.ts'
import { showLight } from './show.ts'

export const membershipRoutes: readonly Route[] = [
  ['GET', /^\/group\/(\d+)\/subscribe\/$/, listMembers],
  ['POST', /^\/group\/(\d+)\/subscribe\/$/, subscribe],
  ['DELETE', /^\/group\/(\d+)\/subscribe\/$/, unsubscribe],
  ['POST', /^\/group\/(\d+)\/invite\/$/, invite],
]

function listMembers(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  const group = groupOf(call)
  if (group.privacy === 'private' && group.members.get(caller.id) !== 'subscribed') {
    throw forbidden('Only members may see the members of a private group.')
  }
  const rows = [...group.members].flatMap(([id, standing]) => {
    const user = call.state.users.get(id)
    const isHidden = user === undefined || standing !== 'subscribed' || user.status === 'd' || user.status === 'u'
    return isHidden ? [] : [user]
  })
  return page(call, rows, showLight)
}

function subscribe(call: Call): SimulatorAnswer {
  const users = readUsers(call)
  if (users === undefined) return join(call)
  const group = managedGroup(call)
  for (const id of users) {
    group.members.set(id, 'subscribed')
    touch(call, id)
  }
  return noContent
}

/** At once into a public group or when invited; else a request, which the manager answers. */
function join(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  const group = groupOf(call)
  const standing = group.members.get(caller.id)
  const isOpen = group.privacy === 'public' || standing === 'invited' || standing === 'subscribed'
  group.members.set(caller.id, isOpen ? 'subscribed' : 'requested')
  touch(call, caller.id)
  return noContent
}

function unsubscribe(call: Call): SimulatorAnswer {
  const caller = signedIn(call)
  const named = call.request.query.get('user')
  const group = named === null ? groupOf(call) : managedGroup(call)
  const id = named === null ? caller.id : Number(named)
  if (!group.members.delete(id)) throw notFound()
  touch(call, id)
  return noContent
}

function invite(call: Call): SimulatorAnswer {
  const group = managedGroup(call)
  const users = readUsers(call)
  if (users === undefined) throw invalidField('users', 'required', 'This field is required.')
  for (const id of users) {
    const standing = group.members.get(id)
    if (standing === 'subscribed') continue
    group.members.set(id, standing === 'requested' ? 'subscribed' : 'invited')
    touch(call, id)
  }
  return noContent
}

/** Undefined when the parameter is not there at all. */
function readUsers(call: Call): readonly number[] | undefined {
  const fields = readFields(call.request)
  if (!fields.has('users')) return undefined
  const reader = fieldReader(fields)
  const users = reader.ids('users') ?? []
  const isKnown = (id: number) => call.state.users.has(id) && call.state.users.get(id)?.status !== 'u'
  if (!users.every(isKnown)) reader.report('users', 'exist', 'No such user.')
  reader.finish()
  return users
}
