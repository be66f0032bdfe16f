import { createHash } from 'node:crypto'
import type { EthosceState } from './state.ts'

/** `{uri, id, resource}`; `id` is text in most places and a number in `full=0` lists and membership fields. */
export function reference(state: EthosceState, origin: string, resource: string, id: number, shown: string | number) {
  const plain = { uri: `${origin}/${resource}/${id}`, id: shown, resource }
  return state.knobs.uuid ? { ...plain, uuid: uuidOf(resource, id) } : plain
}

function uuidOf(resource: string, id: number): string {
  const hex = createHash('sha1').update(`${resource}/${id}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
