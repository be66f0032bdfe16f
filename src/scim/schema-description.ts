/**
 * The schemas as RFC 7643 §7 writes them down: scimmy's definitions with our corrections, our own extension, and those
 * declared on the connection. The compiled tables and `/Schemas` both come from here, so what is announced is what holds.
 */
import SCIMMY from 'scimmy'
import { type DeclaredExtension, nameProblem, repeated, urnProblem } from '../extensions.ts'
import type { AttributeDefinition } from './attribute.ts'
import { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from './attribute.ts'

export interface AttributeDescription extends Omit<AttributeDefinition, 'sub'> {
  readonly description: string
  /** Only where other values are of no use. */
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly AttributeDescription[]
}

export interface SchemaDescription {
  readonly urn: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly AttributeDescription[]
}

const mutabilities = ['readOnly', 'readWrite', 'immutable', 'writeOnly'] as const
const returns = ['always', 'never', 'default', 'request'] as const
const uniquenesses = ['none', 'server', 'global'] as const

type Correction = Partial<Omit<AttributeDescription, 'name' | 'subAttributes'>>

/** Ids, and references to them, are compared as they are (RFC 7643 §2.3.7, §3.1). */
const exact: Correction = { caseExact: true }
/** Computed from the named resource; what a client sends is not kept. */
const computed: Correction = { mutability: 'readOnly' }

/** `<schema>.<attribute>[.<sub>]` → what scimmy says otherwise than we behave. */
const corrections: ReadonlyMap<string, Correction> = new Map<string, Correction>([
  ['User.schemas', { required: true, returned: 'always' }],
  ['Group.schemas', { required: true, returned: 'always' }],
  // Required of us, not of the client: readOnly attributes are ignored in its input.
  ['User.id', { required: false }],
  ['Group.id', { required: false }],
  ['User.meta', { required: false }],
  ['Group.meta', { required: false }],
  // RFC 7643 §3.1: a URI, and a version that is compared as text.
  ['User.meta.location', { type: 'reference', referenceTypes: ['uri'], caseExact: true }],
  ['Group.meta.location', { type: 'reference', referenceTypes: ['uri'], caseExact: true }],
  ['User.meta.version', { caseExact: true }],
  ['Group.meta.version', { caseExact: true }],
  // Entra's validator fills both with random letters; one refused attribute fails 17 of its tests.
  ['User.profileUrl', { type: 'string' }],
  ['User.photos.value', { type: 'string' }],
  ['User.groups.value', exact],
  ['User.groups.$ref', { ...exact, referenceTypes: ['Group'] }],
  ['Group.members.value', exact],
  // No nested groups: neither Okta nor Entra sends them.
  // RFC 7643 §8.7.1: a client may send it along; what counts is `value`, and we compute the rest.
  ['Group.members.$ref', { ...exact, mutability: 'immutable', referenceTypes: ['User'] }],
  ['Group.members.display', computed],
  // Groups as members are refused, and clients should know before they try.
  ['Group.members.type', { canonicalValues: ['User'] }],
  ['EnterpriseUser.manager.value', exact],
  ['EnterpriseUser.manager.$ref', { ...exact, ...computed }],
  ['EnterpriseUser.manager.displayName', computed],
  // Entra demands unique group names.
  ['Group.displayName', { uniqueness: 'server' }],
])

/** Core User, core Group, enterprise User, Provisioning, then the declared ones. Throws when a declaration cannot be used. */
export function describeSchemas(declared: readonly DeclaredExtension[]): {
  user: SchemaDescription
  group: SchemaDescription
  enterprise: SchemaDescription
  provisioning: SchemaDescription
  declared: readonly SchemaDescription[]
} {
  standard ??= describeStandard()
  return { ...standard, provisioning, declared: describeDeclared(declared) }
}

/** The same for all connections. */
let standard: ReturnType<typeof describeStandard> | undefined
function describeStandard() {
  const { User, Group, EnterpriseUser } = SCIMMY.Schemas
  return {
    user: fromScimmy(userUrn, User.definition, true),
    group: fromScimmy(groupUrn, Group.definition, true),
    // An extension has no id, externalId, meta or schemas of its own, though scimmy gives it them.
    enterprise: fromScimmy(enterpriseUrn, EnterpriseUser.definition, false),
  }
}

function fromScimmy(urn: string, definition: SCIMMY.Types.SchemaDefinition, withCommon: boolean): SchemaDescription {
  const attributes = definition.attributes
    .filter((attribute) => attribute instanceof SCIMMY.Types.Attribute)
    .filter((attribute) => withCommon || attribute.config.shadow !== true)
  return {
    urn,
    name: definition.name,
    description: definition.description,
    attributes: attributes.map((attribute) => describe(attribute, definition.name)),
  }
}

function describe(attribute: SCIMMY.Types.Attribute, parent: string): AttributeDescription {
  const path = `${parent}.${attribute.name}`
  const json = attribute.toJSON()
  // scimmy's `canonicalValues` are left out: RFC 7643 §7 means suggestions, scimmy means limits, and Entra sends others.
  const description: AttributeDescription = {
    name: json.name,
    type: json.type,
    multiValued: json.multiValued,
    description: json.description,
    required: json.required,
    caseExact: json.caseExact ?? false,
    mutability: oneOf(mutabilities, json.mutability, path),
    returned: oneOf(returns, json.returned, path),
    uniqueness: oneOf(uniquenesses, json.uniqueness ?? 'none', path),
    ...(json.referenceTypes === undefined ? {} : { referenceTypes: json.referenceTypes }),
    ...corrections.get(path),
    ...(attribute.subAttributes === undefined
      ? {}
      : { subAttributes: attribute.subAttributes.map((sub) => describe(sub, path)) }),
  }
  if (description.type === 'reference') return description
  const { referenceTypes: _, ...others } = description
  return others
}

/** scimmy types these as any string; a word that we do not know must not pass for a known one. */
function oneOf<T extends string>(words: readonly T[], word: string, path: string): T {
  const known = words.find((candidate) => candidate === word)
  if (known === undefined) throw new Error(`scimmy describes ${path} with the unknown word '${word}'`)
  return known
}

function ours(
  name: string,
  type: AttributeDescription['type'],
  description: string,
  characteristics: Correction = {},
): AttributeDescription {
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    // RFC 7643 §2.3.6 and §2.3.7.
    caseExact: type === 'binary' || type === 'reference',
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...characteristics,
  }
}

const provisioning: SchemaDescription = {
  urn: provisioningUrn,
  name: 'Provisioning',
  description: 'How far the resource has been carried over to the platform',
  attributes: [
    ours('state', 'string', 'One of applied, pending, failed, held.', { mutability: 'readOnly' }),
    ours('detail', 'string', 'Why the state is not applied, and what to do.', { mutability: 'readOnly' }),
    ours('accountId', 'string', "The platform's own id of the account.", { mutability: 'readOnly', caseExact: true }),
    ours('lastAppliedAt', 'dateTime', 'When the platform was last read in the wanted state.', {
      mutability: 'readOnly',
    }),
  ],
}

function describeDeclared(declared: readonly DeclaredExtension[]): readonly SchemaDescription[] {
  const again = repeated(declared.map(({ urn }) => urn))
  if (again !== undefined) throw new Error(`The extension '${again}' is declared twice`)
  return declared.map(({ urn, attributes }) => {
    const wrong = urnProblem(urn)
    if (wrong !== undefined) throw new Error(`The extension '${urn}' ${wrong}`)
    for (const { name } of attributes) {
      const problem = nameProblem(name)
      if (problem !== undefined) throw new Error(`The attribute '${name}' of '${urn}' ${problem}`)
    }
    const twice = repeated(attributes.map(({ name }) => name))
    if (twice !== undefined) throw new Error(`The attribute '${twice}' of '${urn}' is declared twice`)
    return {
      urn,
      name: urn,
      description: 'Extension declared on this connection',
      attributes: attributes.map(({ name, type, multiValued, caseExact, description = '' }) =>
        ours(name, type, description, { multiValued, ...(caseExact === undefined ? {} : { caseExact }) }),
      ),
    }
  })
}
