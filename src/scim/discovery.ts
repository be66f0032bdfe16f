/**
 * `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` (RFC 7644 §4, RFC 7643 §5–7, RFC 9865 §4), as texts that are
 * built once per connection. Clients decide by them what they send: only what works may be announced.
 */
import { bodyBytes, bulkOperations, cursorSeconds, maxPageSize, pageSize } from '../limits.ts'
import type { ResourceSchema } from './attribute.ts'
import type { Schemas } from './schema.ts'
import type { AttributeDescription, SchemaDescription } from './schema-description.ts'

/** RFC 7643 §5. */
export interface AuthenticationScheme {
  readonly type: 'oauth' | 'oauth2' | 'oauthbearertoken' | 'httpbasic' | 'httpdigest'
  readonly name: string
  readonly description: string
  readonly specUri?: string
  readonly documentationUri?: string
  readonly primary?: boolean
}

export interface DiscoveryLimits {
  readonly filterMaxResults: number
  readonly defaultPageSize: number
  readonly maxPageSize: number
  /** Undefined while there is no bulk. */
  readonly bulk: { readonly maxOperations: number; readonly maxPayloadSize: number } | undefined
  /** Undefined while there are no cursors. */
  readonly cursorTimeoutSeconds: number | undefined
}

export interface Discovery {
  readonly serviceProviderConfig: string
  readonly schemas: string
  /** By URN, in any letter case. */
  schema(urn: string): string | undefined
  readonly resourceTypes: string
  /** `User` or `Group`, in any letter case. */
  resourceType(name: string): string | undefined
}

export const discoveryLimits: DiscoveryLimits = Object.freeze({
  filterMaxResults: maxPageSize,
  defaultPageSize: pageSize,
  maxPageSize,
  bulk: { maxOperations: bulkOperations, maxPayloadSize: bodyBytes },
  cursorTimeoutSeconds: cursorSeconds,
})

export const bearerScheme: AuthenticationScheme = Object.freeze({
  type: 'oauthbearertoken',
  name: 'Bearer token',
  description: 'A token of this connection in the Authorization header',
  specUri: 'https://www.rfc-editor.org/info/rfc6750',
  primary: true,
})

const coreUrn = 'urn:ietf:params:scim:schemas:core:2.0'
const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** Not announced as attributes: RFC 7643 §3.1 gives these to every resource, and no schema of it lists them. */
const commonNames: ReadonlySet<string> = new Set(['schemas', 'id', 'externalId', 'meta'])

/** `baseUrl` is the connection's public SCIM root, without a slash at the end. */
export function createDiscovery(options: {
  baseUrl: string
  schemas: Schemas
  authenticationSchemes: readonly AuthenticationScheme[]
  limits?: DiscoveryLimits
}): Discovery {
  const { baseUrl, authenticationSchemes, limits = discoveryLimits } = options
  const schemas = options.schemas.descriptions.map((description) => describeSchema(baseUrl, description))
  const resourceTypes = [
    describeResourceType(baseUrl, options.schemas.user, 'User account'),
    describeResourceType(baseUrl, options.schemas.group, 'Group of users'),
  ]
  const schemaById = byId(schemas)
  const resourceTypeById = byId(resourceTypes)
  return {
    serviceProviderConfig: toText(describeProvider(baseUrl, authenticationSchemes, limits)),
    schemas: toText(listOf(schemas)),
    schema: (urn) => schemaById.get(urn.toLowerCase()),
    resourceTypes: toText(listOf(resourceTypes)),
    resourceType: (name) => resourceTypeById.get(name.toLowerCase()),
  }
}

function describeProvider(
  baseUrl: string,
  authenticationSchemes: readonly AuthenticationScheme[],
  { filterMaxResults, defaultPageSize, maxPageSize, bulk, cursorTimeoutSeconds }: DiscoveryLimits,
) {
  return {
    schemas: [`${coreUrn}:ServiceProviderConfig`],
    patch: { supported: true },
    // authentik's model wants both numbers also where there is no bulk.
    bulk: {
      supported: bulk !== undefined,
      maxOperations: bulk?.maxOperations ?? 0,
      maxPayloadSize: bulk?.maxPayloadSize ?? 0,
    },
    filter: { supported: true, maxResults: filterMaxResults },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: cursorTimeoutSeconds !== undefined,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize,
      maxPageSize,
      ...(cursorTimeoutSeconds === undefined ? {} : { cursorTimeout: cursorTimeoutSeconds }),
    },
    authenticationSchemes,
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  }
}

function describeSchema(baseUrl: string, { urn, name, description, attributes }: SchemaDescription) {
  return {
    schemas: [`${coreUrn}:Schema`],
    id: urn,
    name,
    description,
    // A password is taken and thrown away: announcing it would promise that it works.
    attributes: attributes
      .filter((attribute) => !commonNames.has(attribute.name) && attribute.returned !== 'never')
      .map(describeAttribute),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${urn}` },
  }
}

interface AnnouncedAttribute extends Omit<AttributeDescription, 'subAttributes'> {
  readonly subAttributes?: readonly AnnouncedAttribute[]
}

/** In the order of RFC 7643 §8.7. */
function describeAttribute(attribute: AttributeDescription): AnnouncedAttribute {
  const { name, type, multiValued, description, required, caseExact, mutability, returned, uniqueness } = attribute
  return {
    name,
    type,
    multiValued,
    description,
    required,
    ...(attribute.subAttributes === undefined ? {} : { subAttributes: attribute.subAttributes.map(describeAttribute) }),
    ...(attribute.canonicalValues === undefined ? {} : { canonicalValues: attribute.canonicalValues }),
    caseExact,
    mutability,
    returned,
    uniqueness,
    ...(attribute.referenceTypes === undefined ? {} : { referenceTypes: attribute.referenceTypes }),
  }
}

function describeResourceType(baseUrl: string, { type, urn, extensions }: ResourceSchema, description: string) {
  return {
    schemas: [`${coreUrn}:ResourceType`],
    id: type,
    name: type,
    endpoint: `/${type}s`,
    description,
    schema: urn,
    schemaExtensions: [...extensions.values()].map((extension) => ({ schema: extension.urn, required: false })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type}` },
  }
}

function listOf<T>(resources: readonly T[]) {
  return {
    schemas: [listUrn],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

function byId(documents: readonly { readonly id: string }[]): ReadonlyMap<string, string> {
  return new Map(documents.map((document) => [document.id.toLowerCase(), toText(document)]))
}

function toText(document: object): string {
  return JSON.stringify(document)
}
