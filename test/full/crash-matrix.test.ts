/** List 9.2: operations × kill points × faults at the next start, with a real SIGKILL each. */
import { after, before, describe, test } from 'node:test'
import {
  type CrashBench,
  type CrashOperation,
  type KillPoint,
  type StartFault,
  startCrashBench,
} from './crash-bench.ts'

const patch = (path: string, value: unknown) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', path, value }],
})

const operations: readonly CrashOperation[] = [
  { name: 'create', isNew: true, ask: (scim, user) => scim('POST', '/Users', user), isOn: true, isShown: true },
  {
    name: 'update',
    isNew: false,
    ask: (scim, _user, id) => scim('PATCH', `/Users/${id}`, patch('name.familyName', 'King')),
    isOn: true,
    isShown: true,
  },
  {
    name: 'deactivation',
    isNew: false,
    ask: (scim, _user, id) => scim('PATCH', `/Users/${id}`, patch('active', false)),
    isOn: false,
    isShown: true,
  },
  {
    name: 'deletion',
    isNew: false,
    ask: (scim, _user, id) => scim('DELETE', `/Users/${id}`),
    isOn: false,
    isShown: false,
  },
]

const points: readonly KillPoint[] = [
  { name: 'after T1', at: { commit: 'after T1' } },
  { name: 'before the call', at: { commit: 'before the call' } },
  { name: 'after the call', at: { call: { mode: 'hang-after', only: 'writes' } } },
  { name: 'after the read-back, before T2', at: { commit: 'before T2' } },
  { name: 'after T2, before the answer', at: { commit: 'after T2' } },
]

const faults: readonly (readonly [string, StartFault])[] = [
  ['well', undefined],
  ['not to be reached', 'refused'],
  ['silent after acting', { mode: 'hang-after' }],
  ['resetting after acting', { mode: 'reset-after' }],
  ['failing with 500 after acting', { mode: '500-after' }],
  ['answering with a page', { mode: 'html' }],
]

describe('the bridge is killed', { concurrency: operations.length }, () => {
  for (const operation of operations) {
    describe(`during a ${operation.name}`, { concurrency: 1 }, () => {
      let bench: CrashBench
      before(async () => {
        bench = await startCrashBench()
      })
      after(() => bench.end())
      for (const point of points) {
        for (const [name, fault] of faults) {
          test(`${point.name}; at the next start the platform is ${name}`, () => bench.run(operation, point, fault))
        }
      }
    })
  }
})
