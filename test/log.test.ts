import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { alarmsOf, createLog } from '../src/log.ts'

const nowhere = () =>
  new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })

test('alarms are counted by text and connection, those of children of the log included', () => {
  const log = createLog('info', nowhere())
  const other = createLog('info', nowhere())
  log.error({ connection: 'library', alarm: true }, 'it burns')
  log.child({}).error({ connection: 'library', alarm: true }, 'it burns')
  log.error({ connection: 'biobank', alarm: true }, 'it burns')
  log.warn({ alarm: true }, 'it smokes')
  log.error({ connection: 'library', alarm: false }, 'it is cold')
  log.error('no object at all')
  assert.deepEqual(
    [...alarmsOf(log)],
    [
      { connection: 'library', text: 'it burns', count: 2 },
      { connection: 'biobank', text: 'it burns', count: 1 },
      { connection: '-', text: 'it smokes', count: 1 },
    ],
  )
  assert.deepEqual([...alarmsOf(other)], [])
})
