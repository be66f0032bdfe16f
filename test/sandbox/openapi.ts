/** Compares recorded traffic with an OpenAPI 3.1 contract: paths, methods, statuses, media types and JSON bodies. */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formatsPlugin from 'ajv-formats'
import { parse } from 'yaml'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'

export interface TrafficOptions {
  /** `accepted`: bodies of requests that were refused (status 400 and above) may be wrong. Default `all`. */
  readonly requests?: 'all' | 'accepted'
}

type Node = ReadonlyMap<string, unknown>

interface Operation {
  readonly method: string
  readonly template: string
  readonly pattern: RegExp
  readonly parameters: number
  readonly node: Node
}

interface Contract {
  readonly basePath: string
  readonly operations: readonly Operation[]
  /** Follows `$ref`; `pointer` is where the thing really is. */
  resolve(node: unknown, pointer: string): { node: Node; pointer: string }
  /** Compiled once; undefined when there is no schema at this pointer. */
  validator(pointer: string): ValidateFunction
}

const contracts = new Map<string, Contract>()
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** One line a problem, empty when all fits. Calls that the contract does not know are problems too. */
export function validateTraffic(
  calls: readonly RecordedCall[],
  contractFile: string,
  options: TrafficOptions = {},
): string[] {
  const contract = contracts.get(contractFile) ?? load(contractFile)
  contracts.set(contractFile, contract)
  return calls.flatMap((call) => {
    const found = operationOf(contract, call)
    if (typeof found === 'string') return [`${call.method} ${call.path}: ${found}`]
    const isChecked = options.requests !== 'accepted' || (call.status >= 100 && call.status < 400)
    const wrong = [...(isChecked ? wrongRequest(contract, found, call) : []), ...wrongAnswer(contract, found, call)]
    return wrong.map((text) => `${call.method} ${found.template} → ${call.status}: ${text}`)
  })
}

function operationOf(contract: Contract, call: RecordedCall): Operation | string {
  const [path = ''] = call.path.split('?', 1)
  if (!path.startsWith(contract.basePath)) return `not below ${contract.basePath}`
  const below = path.slice(contract.basePath.length)
  const fitting = contract.operations.filter((operation) => operation.pattern.test(below))
  if (fitting.length === 0) return 'the contract has no such path'
  // `/users/count` is a path of its own, not the user `count`.
  const [best] = fitting
    .filter((operation) => operation.method === call.method.toLowerCase())
    .sort((a, b) => a.parameters - b.parameters)
  return best ?? 'the contract has no such method there'
}

function wrongRequest(contract: Contract, operation: Operation, call: RecordedCall): string[] {
  if (!operation.node.has('requestBody')) return []
  const at = `${pointerOf(operation)}/requestBody`
  const { node, pointer } = contract.resolve(operation.node.get('requestBody'), at)
  if (call.requestBody === '') return node.get('required') === true ? ['request: the body is missing'] : []
  return wrongBody(contract, node, pointer, 'request', call.requestHeaders['content-type'], call.requestBody)
}

function wrongAnswer(contract: Contract, operation: Operation, call: RecordedCall): string[] {
  if (call.status === 0) return []
  const responses = mapOf(operation.node.get('responses'))
  const key = [String(call.status), `${Math.floor(call.status / 100)}XX`, 'default'].find((name) => responses.has(name))
  if (key === undefined) return ['answer: the contract has no such status']
  const at = `${pointerOf(operation)}/responses/${key}`
  const { node, pointer } = contract.resolve(responses.get(key), at)
  const hasContent = mapOf(node.get('content')).size > 0
  if (call.responseBody === '') return hasContent && call.method !== 'HEAD' ? ['answer: the body is missing'] : []
  // A refusal may explain itself where the contract says nothing about it.
  if (!hasContent) return call.status < 300 ? ['answer: the contract has no body here'] : []
  return wrongBody(contract, node, pointer, 'answer', call.responseHeaders['content-type'], call.responseBody)
}

function wrongBody(
  contract: Contract,
  node: Node,
  pointer: string,
  who: string,
  contentType: string | undefined,
  body: string,
): string[] {
  const content = mapOf(node.get('content'))
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!content.has(mediaType)) return [`${who}: the contract has no media type '${mediaType}'`]
  if (!mediaType.endsWith('json') || !mapOf(content.get(mediaType)).has('schema')) return []
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return [`${who}: the body is not JSON`]
  }
  const validate = contract.validator(`${pointer}/content/${escaped(mediaType)}/schema`)
  if (validate(value)) return []
  return (validate.errors ?? []).map((error) => `${who}${error.instancePath}: ${error.message ?? error.keyword}`)
}

function load(contractFile: string): Contract {
  const document: unknown = parse(readFileSync(contractFile, 'utf8'))
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true })
  formatsPlugin.default(ajv)
  // The platforms take addresses beyond ASCII, which the format of JSON Schema does not.
  ajv.addFormat('email', /^[^\s@]+@[^\s@]+$/)
  if (typeof document !== 'object' || document === null) throw new Error(`${contractFile} is no contract`)
  ajv.addSchema(document, 'contract')
  const root = mapOf(document)
  const validators = new Map<string, ValidateFunction>()
  return {
    basePath: basePathOf(root),
    operations: [...mapOf(root.get('paths'))].flatMap(([template, item]) =>
      [...mapOf(item)]
        .filter(([method]) => methods.includes(method))
        .map(([method, node]) => ({
          method,
          template,
          pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`),
          parameters: template.split('{').length - 1,
          node: mapOf(node),
        })),
    ),
    resolve(given, pointer) {
      const node = mapOf(given)
      const reference = node.get('$ref')
      if (typeof reference !== 'string') return { node, pointer }
      let target: unknown = document
      for (const part of reference.slice(2).split('/')) {
        target = mapOf(target).get(part.replaceAll('~1', '/').replaceAll('~0', '~'))
      }
      return { node: mapOf(target), pointer: reference.slice(1) }
    },
    validator(pointer) {
      const known = validators.get(pointer) ?? ajv.compile({ $ref: `contract#${encodeURI(pointer)}` })
      validators.set(pointer, known)
      return known
    },
  }
}

/** The path of the first server, with the defaults of its variables. */
function basePathOf(root: Node): string {
  const servers = root.get('servers')
  const server = mapOf(Array.isArray(servers) ? servers[0] : undefined)
  const variables = mapOf(server.get('variables'))
  const url = String(server.get('url') ?? '').replace(/\{([^}]+)\}/g, (_, name: string) =>
    String(mapOf(variables.get(name)).get('default') ?? name),
  )
  return (url === '' || url.startsWith('/') ? url : new URL(url).pathname).replace(/\/$/, '')
}

function pointerOf(operation: Operation): string {
  return `/paths/${escaped(operation.template)}/${operation.method}`
}

function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1')
}

function mapOf(value: unknown): Node {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [])
}
