import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TracesConfig } from '../../src/config/telemetry-format.ts'
import { readPart } from './read-part.ts'

/** Lines of the error with their place; what is said of traces when there is none. */
function read(t: TestContext, text: string): { folder: string; traces?: TracesConfig; problems: string } {
  const { config, folder, problems } = readPart(t, `telemetry: ${text}`, { TENANT: 'uni' }, { key: 'a key\n' })
  return { folder, problems, ...(config?.traces === undefined ? {} : { traces: config.traces }) }
}

test('traces need an address and nothing else, and are off without one', (t) => {
  assert.equal(read(t, '{}').traces, undefined)
  const { traces } = read(t, '{ traces: { endpoint: "https://collector.uni.example/v1/traces" } }')
  assert.ok(traces !== undefined)
  const { headers, ...others } = traces
  assert.deepEqual(headers(), {})
  assert.deepEqual(others, {
    endpoint: 'https://collector.uni.example/v1/traces',
    ratio: 1,
    serviceName: 'scim-bridge',
    tellPlatforms: false,
    allowPrivateAddresses: false,
  })
})

test('headers are references, read anew from their files, and never written out', (t) => {
  const headersOf = (headers: string) =>
    read(t, `{ traces: { endpoint: "https://collector.uni.example/v1/traces", headers: ${headers} } }`)
  const { folder, traces } = headersOf(`{ api-key: { file: key }, x-tenant: "\${TENANT}" }`)
  assert.deepEqual(traces?.headers(), { 'api-key': 'a key', 'x-tenant': 'uni' })
  writeFileSync(join(folder, 'key'), 'a newer key\n')
  assert.deepEqual(traces?.headers(), { 'api-key': 'a newer key', 'x-tenant': 'uni' })
  const { problems } = headersOf('{ api-key: written-out }')
  assert.match(problems, /telemetry\.traces\.headers\.api-key: a secret is not written here/)
  assert.ok(!problems.includes('written-out'))
  assert.match(headersOf(`{ "x\\r\\ny": "\${TENANT}" }`).problems, /is no name of a header/)
  assert.match(headersOf(`{ Content-Type: "\${TENANT}" }`).problems, /is said by the bridge itself/)
})

test('where traces may not go is told with what to write instead', (t) => {
  const problems = (more: string) => read(t, `{ traces: { ${more} } }`).problems
  const inner = 'endpoint: "http://127.0.0.1:4318/v1/traces"'
  assert.match(problems(inner), /telemetry\.traces\.endpoint: traces would go out in clear text/)
  assert.match(problems(`${inner}, allowHttp: true`), /telemetry\.traces\.endpoint: .*allowPrivateAddresses: true/)
  assert.equal(problems(`${inner}, allowHttp: true, allowPrivateAddresses: true`), '')
  const metadata = 'endpoint: "https://169.254.169.254/v1/traces", allowPrivateAddresses: true'
  assert.match(problems(metadata), /telemetry\.traces\.endpoint: .*metadata service/)
  assert.match(problems('endpoint: "https://u:p@collector.uni.example"'), /URL without user and fragment/)
  assert.match(problems('endpoint: "https://collector.uni.example", ratio: 2'), /ratio: has to be at most 1/)
  assert.match(problems('endpont: "https://collector.uni.example"'), /unknown key.*endpoint/)
  assert.match(read(t, '{ trace: {} }').problems, /unknown key.*traces/)
})
