/**
 * `node:http` as `require` gives it. An `import` evaluates what it loads only when asked: its WebSocket and with it all of
 * `fetch`, 14 MB and 25 ms of every start that nothing here uses.
 */
export const { Agent, createServer, IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http')
