import express from 'express'

/** The least that Express can do: one answer of the size of a user. Argument: the size in bytes. */
const bytes = Number(process.argv[2])
const text = Buffer.from(JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) }))
const app = express().disable('x-powered-by').disable('etag')
app.get('/', (_request, response) => {
  response.setHeader('Content-Type', 'application/scim+json')
  response.send(text)
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`)
})
// The bench comes back after measuring something else; a socket that ends meanwhile would fail its next request.
server.keepAliveTimeout = 600_000
