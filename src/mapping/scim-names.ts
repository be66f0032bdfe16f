/**
 * The attributes of a SCIM User that a mapping can name (RFC 7643 §4.1, §4.3): lower-cased name → canonical spelling and
 * sub-attributes. Only what is kept of what a client sends: a rule about anything else would never find a value.
 */

import type { DeclaredExtension } from '../extensions.ts'
import type { ValueType } from './mapping.ts'

export interface ScimName {
  readonly name: string
  /** Of its values, or of those of its parts but for `primary`. */
  readonly type: ValueType
  readonly isMultiValued: boolean
  /** Undefined: a simple value. */
  readonly sub: ReadonlyMap<string, string> | undefined
}

export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const coreUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'

function byLowerCase(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.toLowerCase(), name]))
}

function simple(...names: string[]): [string, ScimName][] {
  return names.map((name) => {
    const type = name === 'active' ? 'boolean' : 'string'
    return [name.toLowerCase(), { name, type, isMultiValued: false, sub: undefined }]
  })
}

function complex(name: string, sub: readonly string[], isMultiValued = false): [string, ScimName] {
  return [name.toLowerCase(), { name, type: 'string', isMultiValued, sub: byLowerCase(sub) }]
}

const plural = ['value', 'display', 'type', 'primary']

export const userNames: ReadonlyMap<string, ScimName> = new Map([
  ...simple('id', 'externalId', 'userName', 'displayName', 'nickName', 'profileUrl', 'title', 'userType'),
  ...simple('preferredLanguage', 'locale', 'timezone', 'active'),
  complex('name', ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix']),
  ...['emails', 'phoneNumbers', 'ims', 'photos', 'entitlements', 'roles', 'x509Certificates'].map((name) =>
    complex(name, plural, true),
  ),
  complex(
    'addresses',
    ['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type', 'primary'],
    true,
  ),
])

export const enterpriseNames: ReadonlyMap<string, ScimName> = new Map([
  ...simple('employeeNumber', 'costCenter', 'organization', 'division', 'department'),
  complex('manager', ['value']),
])

/** Lower-cased URN → names, of extensions that a connection declares. */
export type DeclaredNames = ReadonlyMap<string, ReadonlyMap<string, ScimName>>

export function declaredNames(extensions: readonly DeclaredExtension[]): DeclaredNames {
  return new Map(
    extensions.map(({ urn, attributes }) => [
      urn.toLowerCase(),
      new Map(
        attributes.map(({ name, type, multiValued }): [string, ScimName] => [
          name.toLowerCase(),
          { name, type: valueTypeOf(type), isMultiValued: multiValued, sub: undefined },
        ]),
      ),
    ]),
  )
}

function valueTypeOf(type: DeclaredExtension['attributes'][number]['type']): ValueType {
  if (type === 'boolean') return 'boolean'
  return type === 'integer' || type === 'decimal' ? 'number' : 'string'
}

/** What the bridge computes when a user is read, and what to write instead. */
export const computedNames: ReadonlyMap<string, string> = new Map([
  ['groups', 'a person is mapped without their groups: say under groups.grants what these give'],
])
