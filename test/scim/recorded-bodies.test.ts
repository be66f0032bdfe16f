/** What providers were recorded to send must come in: every body of a step that expects success. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts'
import type { ResourceSchema } from '../../src/scim/attribute.ts'
import { normaliseResource } from '../../src/scim/normalise.ts'
import { applyPatch, parsePatch } from '../../src/scim/patch.ts'
import { aGroup, aUser, refuses, schemas } from './patch-world.ts'

interface Step {
  readonly method: string
  readonly path: string
  readonly body?: Json
  readonly expect: { readonly status: readonly number[]; readonly checks: readonly string[] }
}

const folder = new URL('../traces/', import.meta.url)
const traces: readonly { readonly id: string; readonly steps: readonly Step[] }[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')))

const schemaOf = ({ path }: Step): ResourceSchema | undefined =>
  path.startsWith('/Users') ? schemas.user : path.startsWith('/Groups') ? schemas.group : undefined

/** The last resource that the trace has written, as the provider would find it. */
function play(schema: ResourceSchema, step: Step, body: JsonObject, stored: Map<ResourceSchema, JsonObject>): void {
  if (step.method !== 'PATCH') {
    const mode = step.method === 'PUT' ? 'replace' : 'create'
    stored.set(schema, normaliseResource(schema, body, mode).document)
    return
  }
  const base = stored.get(schema) ?? (schema.type === 'User' ? aUser() : aGroup())
  const id = step.path.split('/')[2] ?? ''
  const options = { strict: false, id }
  stored.set(schema, applyPatch(schema, base, parsePatch(schema, body, options), options).document)
}

let played = 0
for (const { id, steps } of traces) {
  const written = steps.filter(
    (step) => schemaOf(step) !== undefined && isJsonObject(step.body) && !Object.hasOwn(step.body, '$from'),
  )
  if (written.length === 0) continue
  test(`${id}: every body that has to be accepted is accepted`, () => {
    const stored = new Map<ResourceSchema, JsonObject>()
    for (const step of written) {
      const schema = schemaOf(step)
      if (schema === undefined || !isJsonObject(step.body)) continue
      const { body } = step
      const [status = 0] = step.expect.status
      if (status < 300) {
        play(schema, step, body, stored)
        played += 1
      } else if (status === 400) {
        const wanted = step.expect.checks.find((check) => check.startsWith('$.scimType'))
        const scimType = wanted?.includes('invalidPath')
          ? 'invalidPath'
          : wanted?.includes('mutability')
            ? 'mutability'
            : 'invalidValue'
        refuses(() => play(schema, step, body, stored), scimType)
      }
    }
  })
}

test('the recorded bodies are really there', () => {
  assert.ok(played > 90, `only ${played} bodies were played`)
})
