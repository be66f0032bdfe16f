import { Router } from 'express'
import type { Store } from '../store/store.ts'
import { type MetricsAccess, onlyOf } from './authentication/metrics-access.ts'
import type { Metrics } from './metrics.ts'
import { stateOf } from './request-state.ts'

/** `/livez`: the process answers. `/readyz`: it can serve, its store answers. `/metrics`: Prometheus text. */
export function health(store: Store, metrics: Metrics, access: MetricsAccess): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/livez', (_request, response) => {
    response.type('text/plain').send('ok\n')
  })
  router.get('/readyz', async (_request, response) => {
    try {
      await store.ping()
      response.type('text/plain').send('ok\n')
    } catch {
      response.status(503).type('text/plain').send('the store does not answer\n')
    }
  })
  router.get('/metrics', async (request, response) => {
    const view = await access(request, stateOf(response).id)
    const text = await metrics.registry.metrics()
    response.setHeader('Content-Type', metrics.registry.contentType)
    response.end(view.kind === 'all' ? text : onlyOf(view.connection, text))
  })
  return router
}
