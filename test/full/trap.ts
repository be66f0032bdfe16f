/** A host to which no redirect may ever lead. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'

export interface Trap {
  readonly url: string
  assertUntouched(): void
  close(): void
}

export async function startTrap(): Promise<Trap> {
  const visits: string[] = []
  const server = createServer((request, response) => {
    visits.push(`${request.method} ${request.url}`)
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/elsewhere`,
    assertUntouched: () => assert.deepEqual(visits, []),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
