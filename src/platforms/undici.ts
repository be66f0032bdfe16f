/**
 * The parts of undici that open sockets and send requests. Its index loads `fetch`, caches, proxies and mocks as well: 14 MB
 * that nothing here uses. The version is pinned, and everything that calls a platform fails when a path is another one.
 */
import { createRequire } from 'node:module'
import type * as undici from 'undici'

const require = createRequire(import.meta.url)

export const Agent: typeof undici.Agent = require('undici/lib/dispatcher/agent.js')
export const buildConnector: typeof undici.buildConnector = require('undici/lib/core/connect.js')
/** The index makes it a method of every dispatcher. */
export const request: undici.Dispatcher['request'] = require('undici/lib/api/api-request.js')
