/** What the operator's pages know of each connection: part of the composition root. */
import type { Config, ConnectionConfig } from './config/config.ts'
import type { ConsoleConnection } from './console/visit.ts'
import type { Provision } from './provision/provision.ts'
import { normaliseResource } from './scim/normalise.ts'
import { compileSchemas } from './scim/schema.ts'
import { toStoredUser } from './scim/stored.ts'

/** `provisions` in the order of the configuration. */
export function consoleConnections(
  config: Config,
  provisions: readonly Provision[],
): ReadonlyMap<string, ConsoleConnection> {
  const connections = new Map<string, ConsoleConnection>()
  for (const [index, connection] of config.connections.entries()) {
    const provision = provisions[index]
    if (provision !== undefined) connections.set(connection.name, consoleConnection(connection, config, provision))
  }
  return connections
}

function consoleConnection(connection: ConnectionConfig, config: Config, provision: Provision): ConsoleConnection {
  const { name, tokens, basic, oauth, entra } = connection
  const schemas = compileSchemas({ extensions: connection.extensions })
  return {
    name,
    provision,
    scimUrl: `${config.publicUrl}/${name}/scim/v2`,
    pace: connection.pace ?? provision.connection.facts.pace,
    waysIn: {
      takesTokens: tokens.length > 0,
      basicUsers: basic.map(({ user }) => user),
      oauth: oauth && {
        tokenUrl: `${config.publicUrl}/${name}/oauth2/token`,
        clients: oauth.clients.map(({ id }) => id),
      },
      hasEntra: entra !== undefined,
    },
    toDocument: (scim) => toStoredUser(normaliseResource(schemas.user, scim, 'create').document),
  }
}
