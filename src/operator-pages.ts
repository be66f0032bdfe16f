/** The operator's pages, the same for programs, and what both are made from: part of the composition root. */
import type { RequestHandler, Response } from 'express'
import { type Admin, createAdmin } from './admin/admin.ts'
import { type Clock, repeat } from './clock.ts'
import type { Config, ConnectionConfig } from './config/config.ts'
import { createConsole } from './console/console.ts'
import type { Door } from './console/door.ts'
import { adminCallerOf } from './http/admin-door.ts'
import { parseBody, readJson } from './http/body.ts'
import { createRequestLog, type RequestLog } from './http/request-log.ts'
import { stateOf } from './http/request-state.ts'
import type { Log } from './log.ts'
import type { OperatedConnection } from './operator/connection.ts'
import type { Provision } from './provision/provision.ts'
import { normaliseResource } from './scim/normalise.ts'
import { compileSchemas } from './scim/schema.ts'
import { toStoredUser } from './scim/stored.ts'
import type { AnyStore } from './store/open-location.ts'

/** How often requests are written down for operators, and those that are too old are forgotten. */
const keepMs = 1_000
const forgetMs = 600_000

export interface OperatorPages {
  readonly console: RequestHandler
  readonly admin: Admin
  readonly requestLog: RequestLog
  start(signal: AbortSignal): void
}

/** `provisions` in the order of the configuration. */
export function createOperatorPages(
  config: Config,
  provisions: readonly Provision[],
  surroundings: { readonly store: AnyStore; readonly clock: Clock; readonly log: Log; readonly door: Door },
): OperatorPages {
  const { clock } = surroundings
  const settings = new Map(config.connections.map((connection) => [connection.name, connection.requests]))
  const requestLog = createRequestLog({ ...surroundings, settings })
  const shared = {
    ...surroundings,
    connections: operatedConnections(config, provisions),
    flushRequests: requestLog.flush,
    requestIdOf: (response: Response) => stateOf(response).id,
  }
  return {
    console: createConsole({ ...shared, publicUrl: config.publicUrl }),
    admin: createAdmin({
      ...shared,
      callerOf: adminCallerOf,
      readJson,
      noteRoute(response, route) {
        stateOf(response).route = route
      },
    }),
    requestLog,
    start(signal) {
      void repeat(clock, keepMs, signal, requestLog.flush)
      void repeat(clock, forgetMs, signal, requestLog.forget)
    },
  }
}

function operatedConnections(
  config: Config,
  provisions: readonly Provision[],
): ReadonlyMap<string, OperatedConnection> {
  const connections = new Map<string, OperatedConnection>()
  for (const [index, connection] of config.connections.entries()) {
    const provision = provisions[index]
    if (provision !== undefined) connections.set(connection.name, operatedConnection(connection, config, provision))
  }
  return connections
}

function operatedConnection(connection: ConnectionConfig, config: Config, provision: Provision): OperatedConnection {
  const { name, tokens, basic, oauth, entra } = connection
  const schemas = compileSchemas({ extensions: connection.extensions })
  return {
    name,
    provision,
    scimUrl: `${config.publicUrl}/${name}/scim/v2`,
    pace: connection.pace ?? provision.connection.facts.pace,
    keptRequests: connection.requests,
    waysIn: {
      takesTokens: tokens.length > 0,
      basicUsers: basic.map(({ user }) => user),
      oauth: oauth && {
        tokenUrl: `${config.publicUrl}/${name}/oauth2/token`,
        clients: oauth.clients.map(({ id }) => id),
      },
      hasEntra: entra !== undefined,
    },
    toDocument(text) {
      const { document } = normaliseResource(schemas.user, parseBody(Buffer.from(text)), 'create')
      return { ...toStoredUser(schemas, document), id: 'pasted' }
    },
  }
}
