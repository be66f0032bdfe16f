/** Roles per group: an object whose keys are group ids as text. */
import type { SimulatorAnswer } from '../simulator.ts'
import { empty, invalid, json, notFound, parseObject } from './answers.ts'
import type { FigshareAccount, FigshareState } from './state.ts'

export function showRoles(state: FigshareState, account: FigshareAccount): SimulatorAnswer {
  const entries = [...account.roles].map(([groupId, roleIds]) => [
    String(groupId),
    [...roleIds].flatMap((id) => {
      const role = state.roles.get(id)
      return role === undefined ? [] : [{ id: role.id, name: role.name, category: role.category }]
    }),
  ])
  return json(200, Object.fromEntries(entries))
}

export function addRoles(state: FigshareState, account: FigshareAccount, body: string): SimulatorAnswer {
  const { knobs } = state
  const wanted = new Map<number, number[]>()
  for (const [group, list] of Object.entries(parseObject(body, knobs))) {
    const groupId = Number(group)
    if (!state.groups.has(groupId)) throw invalid(knobs, 'A key is not a group')
    if (!Array.isArray(list)) throw invalid(knobs, 'A value is not a list of roles')
    const ids = list.flatMap((id: unknown) => (typeof id === 'number' && state.roles.has(id) ? [id] : []))
    if (ids.length !== list.length) throw invalid(knobs, 'A role is not known')
    wanted.set(groupId, ids)
  }
  for (const [groupId, ids] of wanted) {
    const kept = knobs.rolesPost === 'replace' ? [] : (account.roles.get(groupId) ?? [])
    account.roles.set(groupId, new Set([...kept, ...ids]))
  }
  return empty(201)
}

export function removeRole(account: FigshareAccount, groupId: number, roleId: number): SimulatorAnswer {
  const present = account.roles.get(groupId)
  if (present?.delete(roleId) !== true) throw notFound('The role')
  if (present.size === 0) account.roles.delete(groupId)
  return empty(204)
}
