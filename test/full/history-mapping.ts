/** The demonstration's mappings as a history has them: what becomes of an account whose user is deleted differs. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../../src/bridge.ts'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'

/** What `lifecycle.delete` says. Figshare has no deletion. */
export type DeleteMode = 'deactivate' | 'delete'

export interface HistoryMappings {
  fileOf(platform: DemoPlatform): string
  remove(): void
}

export function historyMappings(platforms: readonly DemoPlatform[], mode: DeleteMode): HistoryMappings {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-history-'))
  mkdirSync(join(folder, 'connections'))
  const fileOf = (platform: DemoPlatform) => join(folder, 'connections', `${platform}.yaml`)
  for (const platform of platforms) {
    copyFileSync(join(builtInMappings, `${platform}.yaml`), join(folder, `${platform}.yaml`))
    const demo = parse(readFileSync(join(builtInMappings, 'connections', `demo-${platform}.yaml`), 'utf8'))
    const lifecycle = platform === 'figshare' ? {} : { lifecycle: { delete: mode } }
    writeFileSync(fileOf(platform), stringify({ ...demo, user: { ...demo.user, ...lifecycle } }))
  }
  return { fileOf, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
