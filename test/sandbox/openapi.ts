/** Recorded traffic against a platform's published contract (OpenAPI 3.1). */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'

type Node = Readonly<Record<string, unknown>>

interface Operation {
  /** Lower case. */
  readonly method: string
  /** As the contract writes it: `/users/{id}`. */
  readonly template: string
  readonly pattern: RegExp
  /** JSON pointer of the operation in the contract. */
  readonly pointer: string
}

interface Contract {
  readonly basePath: string
  /** Those with fewer parameters in the path first: `/user/me/` comes before `/user/{id}/`. */
  readonly operations: readonly Operation[]
  at(pointer: string): { readonly node: Node; readonly pointer: string } | undefined
  validator(pointer: string): ValidateFunction
}

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options']
const contracts = new Map<string, Contract>()

/**
 * What is wrong with the calls by `test/contracts/<contractFile>`, one readable line each, none twice. Of a call without
 * an answer (status 0) only the request is judged; of a request that the platform refused as invalid (400, 415, 422) only
 * the answer.
 */
export function validateTraffic(calls: readonly RecordedCall[], contractFile: string): string[] {
  const contract = contracts.get(contractFile) ?? loadContract(contractFile)
  contracts.set(contractFile, contract)
  return [...new Set(calls.flatMap((call) => problemsOf(contract, call)))]
}

function loadContract(contractFile: string): Contract {
  const document: unknown = parse(readFileSync(new URL(`../contracts/${contractFile}`, import.meta.url), 'utf8'))
  const paths = child(document, 'paths')
  if (!isNode(document) || !isNode(paths)) throw new Error(`${contractFile} has no paths.`)
  const operations = Object.entries(paths).flatMap(([template, item]) =>
    methods.flatMap((method) => {
      if (child(item, method) === undefined) return []
      return [{ method, template, pattern: toPattern(template), pointer: `/paths/${escaped(template)}/${method}` }]
    }),
  )
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, contractFile)
  const validators = new Map<string, ValidateFunction>()
  return {
    basePath: basePathOf(document),
    operations: operations.sort((one, other) => parameters(one) - parameters(other)),
    at: (pointer) => resolve(document, pointer),
    validator(pointer) {
      const known = validators.get(pointer)
      if (known !== undefined) return known
      // The fragment of a URI: braces and the like have to be percent-encoded, the pointer's own slashes not.
      const fragment = pointer.split('/').map(encodeURIComponent).join('/')
      const compiled = ajv.compile({ $ref: `${contractFile}#${fragment}` })
      validators.set(pointer, compiled)
      return compiled
    },
  }
}

const parameters = (operation: Operation) => operation.template.split('{').length

function toPattern(template: string): RegExp {
  const parts = template.split(/\{[^}]+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}

/** The path of the first server, its variables at their defaults. */
function basePathOf(document: Node): string {
  const [server] = [child(document, 'servers')].flat()
  const url = child(server, 'url')
  if (typeof url !== 'string') return ''
  const filled = url.replaceAll(/\{([^}]+)\}/g, (_all, name: string) =>
    String(child(child(child(server, 'variables'), name), 'default') ?? ''),
  )
  return new URL(filled).pathname.replace(/\/$/, '')
}

/** Follows references on the way, so that the pointer that comes back names the place itself. */
function resolve(document: Node, pointer: string): { readonly node: Node; readonly pointer: string } | undefined {
  let node: unknown = document
  let place = ''
  for (const name of pointer.split('/').slice(1)) {
    node = child(node, name.replaceAll('~1', '/').replaceAll('~0', '~'))
    place += `/${name}`
    const reference = child(node, '$ref')
    if (typeof reference !== 'string') continue
    const target = resolve(document, reference.replace(/^#/, ''))
    if (target === undefined) throw new Error(`${reference} names nothing.`)
    node = target.node
    place = target.pointer
  }
  return isNode(node) ? { node, pointer: place } : undefined
}

function problemsOf(contract: Contract, call: RecordedCall): string[] {
  const path = pathOf(call)
  const below = path.startsWith(contract.basePath) ? path.slice(contract.basePath.length) : undefined
  const fitting = contract.operations.filter(({ pattern }) => below !== undefined && pattern.test(below))
  const [nearest] = fitting
  if (nearest === undefined) return [`${call.method} ${path} is not in the contract`]
  const operation = fitting.find(
    ({ method, template }) => template === nearest.template && method === call.method.toLowerCase(),
  )
  if (operation === undefined) return [`${call.method} ${nearest.template} is not in the contract`]
  const isRefused = [400, 415, 422].includes(call.status)
  return [
    ...(isRefused ? [] : requestProblems(contract, operation, call)),
    ...(call.status === 0 ? [] : responseProblems(contract, operation, call)),
  ]
}

function requestProblems(contract: Contract, operation: Operation, call: RecordedCall): string[] {
  const name = `${call.method} ${operation.template} request`
  const body = contract.at(`${operation.pointer}/requestBody`)
  if (call.requestBody === '') return body?.node.required === true ? [`${name}: a body is required`] : []
  if (body === undefined) return [`${name}: no body is documented`]
  return bodyProblems(contract, name, body.pointer, mediaType(call.requestHeaders), call.requestBody)
}

function responseProblems(contract: Contract, operation: Operation, call: RecordedCall): string[] {
  const name = `${call.method} ${operation.template} ${call.status} response`
  const status = String(call.status)
  const response = [status, `${status.charAt(0)}XX`, 'default']
    .map((key) => contract.at(`${operation.pointer}/responses/${key}`))
    .find((found) => found !== undefined)
  if (response === undefined) return [`${call.method} ${operation.template} ${status}: the status is not documented`]
  // Without `content` the contract says nothing about the body.
  if (call.responseBody === '' || response.node.content === undefined) return []
  return bodyProblems(contract, name, response.pointer, mediaType(call.responseHeaders), call.responseBody)
}

function bodyProblems(contract: Contract, name: string, pointer: string, type: string, body: string): string[] {
  const documented = contract.at(`${pointer}/content/${escaped(type)}`)
  if (documented === undefined) return [`${name}: ${type === '' ? 'no media type' : type} is not documented`]
  if (documented.node.schema === undefined || !/[/+]json$/.test(type)) return []
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return [`${name}: the body is no JSON`]
  }
  const validate = contract.validator(`${documented.pointer}/schema`)
  if (validate(value)) return []
  return (validate.errors ?? []).map((error) => `${name}: ${described(error)}`)
}

/** `/id must be integer`; indices of lists are left out, so that a hundred rows make one problem. */
function described({ instancePath, message, params }: ErrorObject): string {
  const place = instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*')
  const values: unknown = child(params, 'allowedValues')
  const more: unknown = child(params, 'additionalProperty') ?? (Array.isArray(values) ? values.join(', ') : undefined)
  return [place, message, more === undefined ? '' : `(${String(more)})`].filter((word) => word !== '').join(' ')
}

function pathOf(call: RecordedCall): string {
  const path = call.path.split('?', 1)[0] ?? ''
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function mediaType(headers: Readonly<Record<string, string>>): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

function child(value: unknown, name: string): unknown {
  return isNode(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** One step of a JSON pointer (RFC 6901). */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
