/**
 * `node okta-spec.ts FILE NAME BASE`: plays Okta's SCIM 2.0 SPEC test, a file of BlazeMeter API Monitoring (once Runscope),
 * against one connection; the token is in SCIM_TOKEN. Prints one line, and one more for each assertion that does not hold.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { isJsonObject, type Json } from '../../src/json.ts'

const assertion = z.object({
  source: z.enum(['response_status', 'response_json', 'response_time']),
  property: z.string().default(''),
  comparison: z.enum(['equal', 'equal_number', 'not_empty', 'has_value', 'contains', 'is_a_number', 'is_less_than']),
  value: z.union([z.string(), z.number()]).nullable().default(null),
})
const step = z.object({
  step_type: z.literal('request'),
  note: z.string().default(''),
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.array(z.string())).default({}),
  body: z.string().optional(),
  assertions: z.array(assertion).default([]),
  variables: z.array(z.object({ name: z.string(), property: z.string() })).default([]),
})
/** The pauses are for slow servers, and the scripts assert nothing. */
const spec = z.object({ steps: z.array(z.union([step, z.object({ step_type: z.literal('pause') })])) })

type Assertion = z.infer<typeof assertion>
type Step = z.infer<typeof step>

interface Answer {
  readonly status: number
  readonly ms: number
  readonly body: Json | undefined
}

const [file = '', name = '', base = ''] = process.argv.slice(2)
const word = randomBytes(4).toString('hex')
const variables = new Map([
  ['SCIMBaseURL', base],
  ['auth', `Bearer ${process.env.SCIM_TOKEN}`],
  ['InvalidUserEmail', `nobody-${word}@okta.example`],
  ['UserIdThatDoesNotExist', `none-${word}`],
  ['randomEmail', `ada-${word}@okta.example`],
  ['randomUsername', `ada-${word}@okta.example`],
  ['randomUsernameCaps', `ADA-${word.toUpperCase()}@OKTA.EXAMPLE`],
  ['randomGivenName', 'Ada'],
  ['randomFamilyName', `Lovelace${word}`],
])

/** Throws when the file names a variable that nobody has set. */
function filledIn(text: string): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, variable) => {
    const value = variables.get(variable)
    if (value === undefined) throw new Error(`${file}: the variable ${variable} has no value`)
    return value
  })
}

async function ask(method: string, url: string, headers: Headers, body: string | undefined): Promise<Answer> {
  const begin = performance.now()
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  const ms = performance.now() - begin
  return { status: response.status, ms, body: text === '' ? undefined : JSON.parse(text) }
}

/** `Resources[0].emails[0].value` */
function valueAt(body: Json | undefined, property: string): Json | undefined {
  let value = body
  for (const [part] of property.matchAll(/[^.[\]]+/g)) {
    if (Array.isArray(value)) value = value[Number(part)]
    else value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }
  return value
}

function hasValue(where: Json | undefined, wanted: string): boolean {
  if (typeof where === 'string') return where === wanted
  const values = Array.isArray(where) ? where : isJsonObject(where) ? Object.values(where) : []
  return values.some((value) => hasValue(value, wanted))
}

function holds({ source, property, comparison, value }: Assertion, { status, ms, body }: Answer): boolean {
  const found = source === 'response_status' ? status : source === 'response_time' ? ms : valueAt(body, property)
  const wanted = filledIn(String(value ?? ''))
  switch (comparison) {
    case 'equal':
      return found !== undefined && String(found) === wanted
    case 'equal_number':
      return typeof found === 'number' && found === Number(wanted)
    case 'not_empty':
      return found !== undefined && found !== null && found !== '' && !(Array.isArray(found) && found.length === 0)
    case 'has_value':
    case 'contains':
      return hasValue(found, wanted)
    case 'is_a_number':
      return typeof found === 'number'
    case 'is_less_than':
      return typeof found === 'number' && found < Number(wanted)
  }
}

async function play({ note, method, url, headers, body, assertions, variables: saved }: Step): Promise<string[]> {
  const sent = new Headers(Object.entries(headers).map(([header, [value = '']]) => [header, filledIn(value)]))
  const answer = await ask(method, filledIn(url), sent, body === undefined ? undefined : filledIn(body))
  for (const { name: variable, property } of saved) {
    const value = valueAt(answer.body, property)
    if (typeof value === 'string') variables.set(variable, value)
  }
  return assertions
    .filter((one) => !holds(one, answer))
    .map(({ source, property, comparison, value }) =>
      [`${note}:`, source, property, comparison, value].filter((part) => part !== '' && part !== null).join(' '),
    )
}

/** The test begins with the first user of the list, who has to be complete. */
async function makeFirstUser(): Promise<void> {
  const user = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: `first-${word}@okta.example`,
    name: { givenName: 'Grace', familyName: 'Hopper' },
    emails: [{ primary: true, value: `first-${word}@okta.example`, type: 'work' }],
    active: true,
  }
  const headers = new Headers({ Authorization: filledIn('{{auth}}'), 'Content-Type': 'application/scim+json' })
  const { status, body } = await ask('POST', `${base}/Users`, headers, JSON.stringify(user))
  if (status !== 201) throw new Error(`the first user was not made: ${status} ${JSON.stringify(body)}`)
}

await makeFirstUser()
const errors: string[] = []
let checks = 0
for (const one of spec.parse(JSON.parse(readFileSync(file, 'utf8'))).steps) {
  if (one.step_type === 'pause') continue
  checks += one.assertions.length
  errors.push(...(await play(one)))
}
console.log(`Okta SPEC test: ${name}: ${checks} checks, ${errors.length} errors`)
for (const error of errors) console.log(`  ${error}`)
process.exitCode = errors.length === 0 && checks > 0 ? 0 : 1
