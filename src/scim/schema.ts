/**
 * Compiles the schema descriptions into tables. Whatever name a client sends is looked up in these Maps and nowhere else,
 * so that `__proto__` is just an unknown name.
 */
import type { DeclaredExtension } from '../extensions.ts'
import type { AttributeDefinition, ExtensionSchema, ResourceSchema } from './attribute.ts'
import type { AttributeDescription, SchemaDescription } from './schema-description.ts'
import { describeSchemas } from './schema-description.ts'

export interface Schemas {
  readonly user: ResourceSchema
  readonly group: ResourceSchema
  /** What `/Schemas` announces: User, Group, enterprise User, Provisioning where it is shown, the declared ones. */
  readonly descriptions: readonly SchemaDescription[]
}

/** Tables of one connection. Throws an `Error` that names the extension when a declaration cannot be used. */
export function compileSchemas(
  options: { extensions?: readonly DeclaredExtension[]; computedAttributes?: 'show' | 'hide' } = {},
): Schemas {
  const { user, group: whole, enterprise, provisioning, declared } = describeSchemas(options.extensions ?? [])
  const isHiding = options.computedAttributes === 'hide'
  const group = isHiding ? withoutMemberNames(whole) : whole
  const ours = isHiding ? [] : [provisioning]
  const extensions = [
    ...[enterprise, ...declared].map((description) => compileExtension(description, false)),
    ...ours.map((description) => compileExtension(description, true)),
  ]
  return Object.freeze({
    user: compileResource('User', user, extensions),
    group: compileResource('Group', group, []),
    descriptions: [user, group, enterprise, ...ours, ...declared],
  })
}

function withoutMemberNames(group: SchemaDescription): SchemaDescription {
  const attributes = group.attributes.map((attribute) =>
    attribute.name === 'members'
      ? { ...attribute, subAttributes: attribute.subAttributes?.filter(({ name }) => name !== 'display') ?? [] }
      : attribute,
  )
  return { ...group, attributes }
}

function compileResource(
  type: ResourceSchema['type'],
  description: SchemaDescription,
  extensions: readonly ExtensionSchema[],
): ResourceSchema {
  return Object.freeze({
    type,
    urn: description.urn,
    core: compileAttributes(description.attributes),
    extensions: new Map(extensions.map((extension) => [extension.urn.toLowerCase(), extension])),
  })
}

function compileExtension(description: SchemaDescription, isReadOnly: boolean): ExtensionSchema {
  return Object.freeze({ urn: description.urn, isReadOnly, attributes: compileAttributes(description.attributes) })
}

function compileAttributes(attributes: readonly AttributeDescription[]): ReadonlyMap<string, AttributeDefinition> {
  return new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), compileAttribute(attribute)]))
}

function compileAttribute(attribute: AttributeDescription): AttributeDefinition {
  const { name, type, multiValued, required, mutability, returned, caseExact, uniqueness, subAttributes } = attribute
  const sub = subAttributes === undefined ? undefined : compileAttributes(subAttributes)
  return Object.freeze({ name, type, multiValued, required, mutability, returned, caseExact, uniqueness, sub })
}
