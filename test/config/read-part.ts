import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { hostProblem } from '../../src/platforms/host.ts'
import { FileProblems } from '../../src/yaml/problems.ts'

const rest = `publicUrl: https://scim.uni.example
connections:
  figshare: { platform: figshare, baseUrl: "https://api.figshare.com/v2", tokens: ["\${SCIM_TOKEN}"] }
`

export interface ReadPart {
  readonly folder: string
  readonly file: string
  /** Undefined when there are problems. */
  readonly config?: Config
  /** Lines of the error with their place. */
  readonly problems: string
}

/** A sound bridge.yaml with one more line; `files` lie beside it. */
export function readPart(
  t: TestContext,
  line: string,
  environment: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): ReadPart {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const file = join(folder, 'bridge.yaml')
  writeFileSync(file, `${rest}${line}\n`)
  try {
    const options = {
      environment: { SCIM_TOKEN: 'a-token-for-the-tests', ...environment },
      settingsOf: () => z.strictObject({}),
      platforms: ['figshare'],
      hostProblem,
    }
    return { folder, file, config: loadConfig(file, options), problems: '' }
  } catch (error) {
    assert.ok(error instanceof FileProblems, String(error))
    return { folder, file, problems: error.message }
  }
}
