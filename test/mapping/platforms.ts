import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlatformFacts } from '../../src/facts.ts'
import { checkMapping, type LoadedMapping, type LoadInput, loadMapping } from '../../src/mapping/load.ts'
import { MappingProblems } from '../../src/mapping/problems.ts'
import { facts as dspace } from '../../src/platforms/dspace/facts.ts'
import { facts as ethosce } from '../../src/platforms/ethosce/facts.ts'
import { facts as figshare } from '../../src/platforms/figshare/facts.ts'
import { facts as openspecimen } from '../../src/platforms/openspecimen/facts.ts'
import { facts as selfcommunity } from '../../src/platforms/selfcommunity/facts.ts'

export { dspace, ethosce, figshare, openspecimen, selfcommunity }

const byPlatform = new Map(
  [dspace, ethosce, figshare, openspecimen, selfcommunity].map((facts) => [facts.platform, facts]),
)
export const factsOf = (platform: string): PlatformFacts | undefined => byPlatform.get(platform)

export const mappingsFolder = join(import.meta.dirname, '..', '..', 'mappings')

export function builtIn(platform: string): string {
  return readFileSync(join(mappingsFolder, `${platform}.yaml`), 'utf8')
}

/** The text with one piece exchanged; throws when the piece is not there exactly once. */
export function changed(text: string, piece: string, other: string): string {
  if (text.split(piece).length !== 2) throw new Error(`not exactly once in the text: ${piece}`)
  return text.replace(piece, () => other)
}

/** `line:column` of a piece of text, counted from 1; `inside` narrows the search to what follows it. */
export function place(text: string, piece: string, inside = ''): string {
  const from = text.indexOf(inside)
  const offset = text.indexOf(piece, from)
  if (from < 0 || offset < 0) throw new Error(`not in the text: ${piece}`)
  const before = text.slice(0, offset).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

/** The lines of everything that is wrong with a file; none when it loads. */
export function problemsOf(input: LoadInput): string[] {
  try {
    loadMapping(input)
    return []
  } catch (error) {
    if (error instanceof MappingProblems) return error.message.split('\n')
    throw error
  }
}

/** A mapping of a small Figshare file, with the lines given under `user.attributes` (and whatever stands below). */
export function aMapping(attributes: string, rest = '', facts: PlatformFacts = figshare): LoadedMapping {
  return checkMapping({ file: 'a.yaml', text: aFile(attributes, rest), facts })
}

export function aFile(attributes: string, rest = ''): string {
  return `version: 1
platform: figshare
user:
  match: [email]
  lifecycle: { deactivate: { is_active: false }, reactivate: { is_active: true } }
  attributes:
    email: { from: 'emails[primary eq true].value', required: true, on_change: refuse }
    last_name: { from: name.familyName, required: true }
${attributes}
${rest}
examples:
  - name: off is off
    was:  { emails: [ { primary: true, value: a@b.example } ], name: { familyName: B } }
    scim: { emails: [ { primary: true, value: a@b.example } ], name: { familyName: B }, active: false }
    changes: { is_active: false }
`
}

export const aPerson = { emails: [{ primary: true, value: 'ada@uni.example' }], name: { familyName: 'Lovelace' } }
