import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broken } from '../../src/errors.ts'
import type { Json } from '../../src/facts.ts'
import { remainingChanges, requireWritten } from '../../src/platforms/difference.ts'
import { facts as dspace } from '../../src/platforms/dspace/facts.ts'
import { facts as selfcommunity } from '../../src/platforms/selfcommunity/facts.ts'

const values = (entries: Record<string, Json>) => new Map(Object.entries(entries))

test('what the account shows already is left out: absent and null are one, letter case counts only where it is said', () => {
  const account = values({ email: 'ada@uni.example', netid: 'Ada', canLogIn: true })
  const changes = values({ email: 'ADA@uni.example', netid: 'ada', phone: null, canLogIn: true, language: 'en' })
  assert.deepEqual(remainingChanges(dspace, account, changes), values({ netid: 'ada', language: 'en' }))
})

test('what can only be read is never written, open attributes are', () => {
  assert.equal(remainingChanges(dspace, new Map(), values({ groups: ['Administrator'] })).size, 0)
  const changes = values({ 'metadata.team': 'Lab', unknown: 'x' })
  assert.deepEqual(remainingChanges(selfcommunity, new Map(), changes), values({ 'metadata.team': 'Lab' }))
})

test('an account read back otherwise is Broken, with the names and without a value', () => {
  const account = { id: '7', attributes: values({ email: 'ada@uni.example', firstname: 'Ada' }) }
  requireWritten(dspace, account, values({ email: 'Ada@uni.example', phone: null }))
  assert.throws(
    () => requireWritten(dspace, account, values({ firstname: 'Grace', lastname: 'Hopper' })),
    (error) => error instanceof Broken && /firstname, lastname/.test(error.detail) && !/Grace|Ada/.test(error.detail),
  )
})
