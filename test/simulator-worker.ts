/** A simulated Figshare on a thread of its own: neither its memory nor its work is the bridge's. */
import { parentPort } from 'node:worker_threads'
import { createFigshare } from '../src/sandbox/figshare/figshare.ts'
import { startSimulator } from '../src/sandbox/server.ts'

const figshare = createFigshare({ now: Date.now })
const { baseUrl } = await startSimulator(figshare, { maxRecordedCalls: 0 })
parentPort?.postMessage({ baseUrl, credentials: figshare.credentials })
