/** What a history asks of the bridge by SCIM. */
import type { Response } from 'supertest'
import type { ScimClient } from '../bridge-world.ts'

export type Asking = Promise<Response | undefined>
/** A SCIM client that may get no answer: the bridge was killed. */
export interface HistoryScim {
  post(body: unknown): Asking
  put(id: string, body: unknown): Asking
  patch(id: string, operations: unknown): Asking
  delete(id: string): Asking
  postGroup(body: unknown): Asking
  patchGroup(id: string, operations: unknown): Asking
  deleteGroup(id: string): Asking
}

export function historyScim(ask: (send: (scim: ScimClient) => PromiseLike<Response>) => Asking): HistoryScim {
  return {
    post: (body) => ask((scim) => scim.post('/Users', body)),
    put: (id, body) => ask((scim) => scim.put(`/Users/${id}`, body)),
    patch: (id, operations) => ask((scim) => scim.patch(`/Users/${id}`, operations)),
    delete: (id) => ask((scim) => scim.delete(`/Users/${id}`)),
    postGroup: (body) => ask((scim) => scim.post('/Groups', body)),
    patchGroup: (id, operations) => ask((scim) => scim.patch(`/Groups/${id}`, operations)),
    deleteGroup: (id) => ask((scim) => scim.delete(`/Groups/${id}`)),
  }
}
