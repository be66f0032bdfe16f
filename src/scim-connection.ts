/** A connection as the SCIM layer knows it: part of the composition root. */
import type { Clock } from './clock.ts'
import type { Config, ConnectionConfig } from './config/config.ts'
import type { Log } from './log.ts'
import type { Provision } from './provision/provision.ts'
import { authenticationSchemes } from './scim/authentication-schemes.ts'
import type { ScimConnection } from './scim/context.ts'
import { type AuthenticationScheme, createDiscovery } from './scim/discovery.ts'
import { createIgnoredNames } from './scim/ignored-names.ts'
import { createPageMemory } from './scim/page-memory.ts'
import { compileSchemas } from './scim/schema.ts'

/** Places of walks that one connection remembers. */
const rememberedPages = 10_000

export function scimConnection(
  connection: ConnectionConfig,
  config: Config,
  provision: Provision,
  { clock, log, cursorKey }: { readonly clock: Clock; readonly log: Log; readonly cursorKey: Buffer },
): ScimConnection {
  const schemas = compileSchemas({
    extensions: connection.extensions,
    computedAttributes: connection.computedAttributes,
  })
  const baseUrl = `${config.publicUrl}/${connection.name}/scim/v2`
  return {
    name: connection.name,
    baseUrl,
    schemas,
    discovery: createDiscovery({ baseUrl, schemas, authenticationSchemes: schemesOf(connection) }),
    patch: connection.patch,
    groupPatchAnswer: connection.groupPatchAnswer,
    provision,
    pageMemory: createPageMemory(rememberedPages, clock),
    cursorKey,
    ignored: createIgnoredNames(connection.name, log),
  }
}

function schemesOf({ basic, oauth, entra, oidc }: ConnectionConfig): readonly AuthenticationScheme[] {
  const takesOauth = oauth !== undefined || entra !== undefined || oidc.length > 0
  return authenticationSchemes({ takesBasic: basic.length > 0, takesOauth })
}
