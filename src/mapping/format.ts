/** The format of a mapping file, declared once: the loader parses with it and editors get a JSON Schema made from it. */
import * as z from 'zod'
import {
  branchesPerRule,
  examples,
  grants,
  matchAttributes,
  pathsPerRule,
  protectTests,
  transformsPerRule,
} from './bounds.ts'
import { writtenTransform } from './transform-list.ts'

/**
 * An object without other keys. The message of an unknown key is the list of the known ones, out of which the loader
 * makes "did you mean …?".
 */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape).join(' ')
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? known : undefined) })
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).meta({ id: 'Scalar' })
const path = z
  .string()
  .min(1)
  .meta({ id: 'Path', description: 'userName, name.givenName, emails[type eq "work"].value, ent:department' })
const paths = z.union([path, z.array(path).min(1).max(pathsPerRule)])

const test = strict({
  path,
  equals: scalar.optional(),
  one_of: z.array(scalar).min(1).optional(),
  present: z.boolean().optional(),
  starts_with: z.string().min(1).optional(),
  ends_with: z.string().min(1).optional(),
}).meta({ id: 'Test', description: 'path and exactly one of equals, one_of, present, starts_with, ends_with' })

const ruleShape = {
  from: paths.optional(),
  const: z.json().optional(),
  join: z
    .array(z.union([path, strict({ text: z.string().min(1).max(256) })]))
    .min(1)
    .max(2 * pathsPerRule)
    .optional(),
  when: z
    .array(strict({ if: test, value: scalar }))
    .min(1)
    .max(branchesPerRule)
    .optional(),
  else: scalar.optional(),
  transform: z
    .array(writtenTransform.meta({ id: 'Transform' }))
    .max(transformsPerRule)
    .optional(),
  table: z.string().optional(),
  default: scalar.optional(),
  required: z.boolean().optional(),
  write: z.enum(['always', 'create', 'if_empty', 'never']).optional(),
  on_change: z.enum(['apply', 'refuse', 'keep']).optional(),
  empty: z.enum(['clear', 'keep']).optional(),
  read: z.union([z.enum(['auto', 'never']), z.array(path).min(1).max(pathsPerRule)]).optional(),
  describe: z.string().optional(),
}
const rule = strict(ruleShape).meta({
  id: 'Rule',
  description: 'exactly one of from, const, join, when; then transform, table, default, required',
})
export type WrittenRule = z.infer<typeof rule>

const anyRule = z.union([path, z.array(path).min(1).max(pathsPerRule), rule])

const table = {
  values: z.record(z.string(), scalar),
  unknown: z.enum(['refuse', 'omit', 'pass']),
}

const status = z.record(z.string(), scalar)
const lifecycle = {
  deactivate: status,
  reactivate: status,
  active_when: z.record(z.string(), z.union([scalar, z.array(scalar).min(1)])).optional(),
  delete: z.enum(['deactivate', 'delete', 'refuse']).optional(),
  revoke_on_deactivate: z.boolean().optional(),
}

const protect = strict({
  attribute: z.string(),
  equals: scalar.optional(),
  one_of: z.array(scalar).min(1).optional(),
  starts_with: z.string().min(1).optional(),
  ends_with: z.string().min(1).optional(),
  contains: scalar.optional(),
  present: z.boolean().optional(),
}).meta({
  id: 'Protect',
  description: 'attribute and exactly one of equals, one_of, starts_with, ends_with, contains, present',
})

const names = z.array(z.string()).max(matchAttributes)
const user = {
  mode: z.string().optional(),
  match: names.min(1),
  distinct: names.optional(),
  protect: z.array(protect).max(protectTests).optional(),
}

const grant = z.record(z.string(), z.union([z.string(), z.number()])).meta({ id: 'Grant' })
const groups = {
  as: z.enum(['none', 'grants', 'groups']),
  match: z.enum(['displayName', 'externalId']).optional(),
  grants: z
    .array(strict({ group: z.string().min(1), grant }))
    .max(grants)
    .optional(),
  manage: z.enum(['granted', 'listed']).optional(),
  unmatched: z.enum(['ignore', 'refuse']).optional(),
  adopt: z.enum(['by_name', 'never']).optional(),
  create: z.boolean().optional(),
  rename: z.enum(['apply', 'refuse']).optional(),
  delete: z.enum(['release', 'delete']).optional(),
  protect: z.array(z.string()).max(protectTests).optional(),
}

const json = z.record(z.string(), z.json()).meta({ id: 'Values' })
const example = strict({
  name: z.string().min(1),
  scim: json.optional(),
  groups: z.array(z.string()).optional(),
  was: json.optional(),
  account: json.optional(),
  grants: z.array(grant).optional(),
  changes: json.optional(),
  read: json.optional(),
  error: z.string().optional(),
}).meta({ id: 'Example' })
export type Example = z.infer<typeof example>

const head = {
  version: z.literal(1),
  platform: z.string(),
  describe: z.string().optional(),
  prefixes: z.record(z.string(), z.string()).optional(),
  examples: z.array(example).min(1).max(examples),
}

/** A whole file; a per-connection one after merging. */
export const mappingFile = strict({
  ...head,
  extends: z.string().optional(),
  tables: z.record(z.string(), strict(table)).optional(),
  user: strict({ ...user, lifecycle: strict(lifecycle), attributes: z.record(z.string(), anyRule) }),
  groups: strict(groups).optional(),
})
export type WrittenMapping = z.infer<typeof mappingFile>
export type WrittenTest = z.infer<typeof test>
export type WrittenProtect = z.infer<typeof protect>

/** All of it may be left out and `null` removes: what an editor accepts of a per-connection file before it is merged. */
function partial<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodType {
  const entries = Object.entries(shape).map(([name, type]) => [name, z.union([type, z.null()]).optional()] as const)
  return z.strictObject(Object.fromEntries(entries))
}

const nullableScalar = z.union([scalar, z.null()])
const overrideFile = z.strictObject({
  ...head,
  extends: z.string(),
  prefixes: z.record(z.string(), z.union([z.string(), z.null()])).optional(),
  tables: z
    .record(z.string(), z.union([partial({ ...table, values: z.record(z.string(), nullableScalar) }), z.null()]))
    .optional(),
  user: partial({
    ...user,
    lifecycle: partial(lifecycle),
    attributes: z.record(z.string(), z.union([path, z.array(path), partial(ruleShape), z.null()])),
  }).optional(),
  groups: partial(groups).optional(),
})

/** JSON Schema (2020-12) of a mapping file, for editors: `mappings/mapping.schema.json`. */
export function mappingJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(z.union([mappingFile, overrideFile]), { io: 'input' })
  return { ...schema, title: 'Mapping file of scim-bridge' }
}
