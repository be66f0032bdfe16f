/** The compiled schema tables (RFC 7643 §7). Names that come from a client are looked up in these Maps and nowhere else. */

export interface AttributeDefinition {
  /** Canonical spelling. */
  readonly name: string
  readonly type: 'string' | 'boolean' | 'decimal' | 'integer' | 'dateTime' | 'reference' | 'binary' | 'complex'
  readonly multiValued: boolean
  readonly required: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly caseExact: boolean
  readonly uniqueness: 'none' | 'server' | 'global'
  /** Lower-cased name → definition; only of complex attributes. */
  readonly sub: ReadonlyMap<string, AttributeDefinition> | undefined
}

export interface ExtensionSchema {
  /** Canonical spelling. */
  readonly urn: string
  /** Ours to write, never the client's (`Provisioning`). */
  readonly isReadOnly: boolean
  readonly attributes: ReadonlyMap<string, AttributeDefinition>
}

export interface ResourceSchema {
  readonly type: 'User' | 'Group'
  /** Canonical URN of the core schema. */
  readonly urn: string
  /** Lower-cased name → definition, common attributes (`id`, `externalId`, `meta`, `schemas`) included. */
  readonly core: ReadonlyMap<string, AttributeDefinition>
  /** Lower-cased URN → extension. */
  readonly extensions: ReadonlyMap<string, ExtensionSchema>
}

/** An attribute that a client named: `userName`, `name.givenName`, `urn:…:User:department`, `emails` (whole extension: no attribute). */
export interface ResolvedName {
  /** Undefined for the core schema. */
  readonly extension: ExtensionSchema | undefined
  /** Undefined when a whole extension was named. */
  readonly attribute: AttributeDefinition | undefined
  readonly sub: AttributeDefinition | undefined
}

export { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from '../extensions.ts'
