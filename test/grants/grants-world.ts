/** What an administrator of each simulated platform sees of somebody's roles and groups, by name. */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../../src/bridge.ts'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import type { BridgeWorld } from '../bridge-world.ts'

const ridOf = (role: string) => Number.parseInt(createHash('md5').update(role).digest('hex').slice(-7), 16)
const ethosceRoles = new Map(['reviewer', 'course_author', 'report_viewer'].map((role) => [ridOf(role), role]))

const views: Record<DemoPlatform, (world: BridgeWorld, email: string) => string[]> = {
  figshare: ({ sandbox }, email) =>
    sandbox.figshare.logic.state
      .byEmail(email)
      .flatMap(({ roles }) => [...roles].flatMap(([group, ids]) => [...ids].map((role) => `${group}:${role}`))),
  ethosce: ({ sandbox }, email) =>
    [...sandbox.ethosce.logic.state.users.rows.values()]
      .filter(({ mail }) => mail === email)
      .flatMap(({ roles }) => roles.map((rid) => ethosceRoles.get(rid) ?? String(rid))),
  openspecimen: ({ sandbox }, email) =>
    sandbox.openspecimen.logic
      .usersByEmail(email)
      .flatMap(({ roles }) => roles.map(({ role, site }) => (site === undefined ? role : `${role} at ${site}`))),
  selfcommunity: ({ sandbox }, email) => {
    const { state } = sandbox.selfcommunity.logic
    return state.byEmail(email).flatMap(({ tags }) => [...tags].map((id) => state.tags.get(id)?.name ?? String(id)))
  },
  dspace: ({ sandbox }, email) => {
    const { state } = sandbox.dspace.logic
    const person = state.byEmail(email)
    return [...state.groups.values()]
      .filter(({ members }) => person !== undefined && members.has(person.uuid))
      .map(({ name }) => name)
  },
}

export function grantsSeen(world: BridgeWorld, platform: DemoPlatform, email: string): string[] {
  return views[platform](world, email).toSorted()
}

export const aGroup = (displayName: string, ...ids: string[]) => ({
  schemas: [groupUrn],
  displayName,
  members: ids.map((value) => ({ value })),
})
export const adding = (...ids: string[]) => [{ op: 'Add', path: 'members', value: ids.map((value) => ({ value })) }]
export const removing = (...ids: string[]) => [
  { op: 'Remove', path: 'members', value: ids.map((value) => ({ value })) },
]

/** The demonstration's mapping of this platform, with another `groups` section in YAML's flow style; answers the file. */
export function mappingWith(t: TestContext, platform: DemoPlatform, groups: string, lifecycle = '{}'): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-mappings-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'connections'))
  copyFileSync(join(builtInMappings, `${platform}.yaml`), join(folder, `${platform}.yaml`))
  const demo = parse(readFileSync(join(builtInMappings, 'connections', `demo-${platform}.yaml`), 'utf8'))
  const file = join(folder, 'connections', 'test.yaml')
  writeFileSync(
    file,
    stringify({ ...demo, user: { ...demo.user, lifecycle: parse(lifecycle) }, groups: parse(groups) }),
  )
  return file
}
