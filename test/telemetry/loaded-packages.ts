/** Runs a bridge in this process, asks it something, and writes which packages for traces and e-mail were loaded for it. `on`: with traces. */
import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const [, name] = /\/node_modules\/(@opentelemetry\/[^/]+|nodemailer)\//.exec(resolved.url) ?? []
    if (name !== undefined) loaded.add(name)
    return resolved
  },
})
const { aUser, startBridgeWorld } = await import('../bridge-world.ts')
const world = await startBridgeWorld((config) => {
  const endpoint = 'http://127.0.0.1:9/v1/traces'
  if (process.argv[2] === 'on')
    config.telemetry = { traces: { endpoint, allowHttp: true, allowPrivateAddresses: true } }
})
const { status } = await world.scim('figshare').post('/Users', aUser())
process.stdout.write(JSON.stringify({ status, loaded: [...loaded].sort() }))
await world.stop()
process.exit(0)
