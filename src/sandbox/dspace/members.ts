/** People and groups in a group: added by `text/uri-list`, all or none, and taken out one by one. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SimulatorAnswer } from '../simulator.ts'
import { broken, empty, Refusal, unprocessable } from './answers.ts'
import { requireContentType } from './body.ts'
import type { Call, Route } from './call.ts'
import { groupOf, readableGroup } from './groups.ts'
import { page, showGroup, showPerson } from './hal.ts'
import { administers, require, withSubgroups } from './rights.ts'
import { anonymousGroup, type Group } from './state.ts'
import { uuidPattern } from './uuid.ts'

const epersons = `^/api/eperson/groups/(${uuidPattern})/epersons`
const subgroups = `^/api/eperson/groups/(${uuidPattern})/subgroups`
const trailingUuid = new RegExp(`(?:^|/)(${uuidPattern})/?$`, 'i')

/** Makes the routes; they remember which adds are under way. */
export function createMemberRoutes(): readonly Route[] {
  const underWay = new Set<string>()

  const addMembers = async (call: Call): Promise<SimulatorAnswer> => {
    const group = editableGroup(call)
    const people = listed(call, call.state.epersons)
    const rows = people.filter(({ uuid }) => !group.members.has(uuid)).map(({ uuid }) => `${group.uuid} ${uuid}`)
    // Two transactions that insert the same row: the second one breaks the key of the join table.
    if (rows.some((row) => underWay.has(row))) throw broken()
    if (call.knobs.memberAddMs > 0) {
      for (const row of rows) underWay.add(row)
      await sleep(call.knobs.memberAddMs)
      for (const row of rows) underWay.delete(row)
    }
    // Everybody is in Anonymous already.
    if (group.name !== anonymousGroup) for (const person of people) call.state.join(group, person)
    return empty(204)
  }

  return [
    [
      'GET',
      new RegExp(`${epersons}$`, 'i'),
      (call) => {
        const people = [...readableGroup(call).members].flatMap((uuid) => call.state.epersons.get(uuid) ?? [])
        return page(call, 'epersons', people, (person) => showPerson(call, person))
      },
    ],
    ['POST', new RegExp(`${epersons}$`, 'i'), addMembers],
    ['DELETE', new RegExp(`${epersons}/(${uuidPattern})$`, 'i'), removeMember],
    [
      'GET',
      new RegExp(`${subgroups}$`, 'i'),
      (call) => {
        const groups = [...readableGroup(call).subgroups].flatMap((uuid) => call.state.groups.get(uuid) ?? [])
        return page(call, call.knobs.subgroupsRelation, groups, (group) => showGroup(call, group))
      },
    ],
    ['POST', new RegExp(`${subgroups}$`, 'i'), addSubgroups],
    ['DELETE', new RegExp(`${subgroups}/(${uuidPattern})$`, 'i'), removeSubgroup],
  ]
}

function editableGroup(call: Call): Group {
  const group = groupOf(call)
  require(call, administers(call.state, call.caller, group))
  return group
}

/** What the lines name; only the UUID at the end of a line is read. */
function listed<Row>(call: Call, rows: ReadonlyMap<string, Row>): Row[] {
  requireContentType(call, 'text/uri-list')
  const lines = call.request.body.split(/\r?\n/).map((line) => line.trim())
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const row = rows.get(trailingUuid.exec(line)?.[1]?.toLowerCase() ?? '')
      if (row === undefined) throw unprocessable('A line names nothing that could be added')
      return row
    })
}

function removeMember(call: Call): SimulatorAnswer {
  const group = editableGroup(call)
  const person = call.state.epersons.get(call.ids[1] ?? '')
  if (person === undefined) throw unprocessable('There is no such eperson')
  const isLast = group.members.has(person.uuid) && group.members.size === 1 && group.subgroups.size === 0
  if (isLast && group.isWorkflow && group.hasTasks) {
    throw new Refusal(call.knobs.lastWorkflowMemberStatus, 'An exception has occurred')
  }
  call.state.leave(group, person)
  return empty(204)
}

function addSubgroups(call: Call): SimulatorAnswer {
  const group = editableGroup(call)
  const children = listed(call, call.state.groups)
  if (children.some((child) => withSubgroups(call.state, child).has(group))) {
    throw unprocessable('A group cannot be nested in itself')
  }
  for (const child of children) group.subgroups.add(child.uuid)
  return empty(204)
}

function removeSubgroup(call: Call): SimulatorAnswer {
  const group = editableGroup(call)
  const child = call.state.groups.get(call.ids[1] ?? '')
  if (child === undefined) throw unprocessable('There is no such group')
  group.subgroups.delete(child.uuid)
  return empty(204)
}
