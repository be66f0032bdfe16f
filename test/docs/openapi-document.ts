/** An OpenAPI document of `docs/`, as something that judges answers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { root } from '../cli/processes.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Empty where there is none. */
  readonly text: string
}

export interface OpenApi {
  readonly document: JsonObject
  /** `GET /scim/v2/Users 200`, each that is documented; `default` is not among them. */
  readonly promises: readonly string[]
  /** What is wrong with an answer, and with the request where that was taken; empty: nothing. */
  problemsOf(method: string, path: string, request: unknown, answer: Answer): string[]
}

/** `requestType`: media type of the bodies that are judged. */
export function readOpenApi(file = 'docs/openapi.yaml', requestType = 'application/scim+json'): OpenApi {
  const document: JsonObject = parse(readFileSync(join(root, file), 'utf8'))
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'bridge')
  const validators = new Map<string, ValidateFunction>()

  function judge(pointer: readonly string[], value: unknown, what: string): string[] {
    const key = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
    let validate = validators.get(key)
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `bridge#/${encodeURI(key)}` })
      validators.set(key, validate)
    }
    if (validate(value)) return []
    return (validate.errors ?? []).map(
      (error) => `${what}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    )
  }

  /** Follows `$ref`; answers the node and where it really is. */
  function at(pointer: readonly string[]): { node: JsonObject; pointer: readonly string[] } | undefined {
    let node: unknown = document
    for (const part of pointer) node = isJsonObject(node) ? new Map(Object.entries(node)).get(part) : undefined
    if (!isJsonObject(node)) return undefined
    return typeof node.$ref === 'string' ? at(node.$ref.slice(2).split('/')) : { node, pointer }
  }

  function promisesOf(): string[] {
    const { paths } = document
    return Object.entries(isJsonObject(paths) ? paths : {}).flatMap(([path, item]) =>
      Object.entries(isJsonObject(item) ? item : {}).flatMap(([method, operation]) =>
        isJsonObject(operation) && isJsonObject(operation.responses)
          ? Object.keys(operation.responses)
              .filter((status) => status !== 'default')
              .map((status) => `${method.toUpperCase()} ${path} ${status}`)
          : [],
      ),
    )
  }

  return {
    document,
    promises: promisesOf(),
    problemsOf(method, path, request, answer) {
      const operation = ['paths', path, method.toLowerCase()]
      const found = at([...operation, 'responses', String(answer.status)]) ?? at([...operation, 'responses', 'default'])
      if (found === undefined) return [`${method} ${path} is not documented with ${answer.status}`]
      const { node, pointer } = found
      const problems: string[] = []
      if (answer.status < 300 && request !== undefined && at([...operation, 'requestBody', 'content', requestType]))
        problems.push(...judge([...operation, 'requestBody', 'content', requestType, 'schema'], request, 'request'))
      for (const name of Object.keys(isJsonObject(node.headers) ? node.headers : {})) {
        const header = at([...pointer, 'headers', name])
        const value = answer.headers[name.toLowerCase()]
        if (header === undefined || value === undefined) problems.push(`no header ${name}`)
        else problems.push(...judge([...header.pointer, 'schema'], value, name))
      }
      if (!isJsonObject(node.content))
        return answer.text === '' ? problems : [...problems, 'a body, and none is documented']
      const type = answer.headers['content-type'] ?? 'none'
      if (!Object.keys(node.content).includes(type)) return [...problems, `content type ${type}`]
      return [...problems, ...judge([...pointer, 'content', type, 'schema'], JSON.parse(answer.text), 'answer')]
    },
  }
}
