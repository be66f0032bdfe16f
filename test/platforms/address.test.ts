import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressKind } from '../../src/platforms/address.ts'

for (const address of [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.31.255.255',
  '192.168.1.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::a9fe:a9fe',
  '2002:7f00:1::',
  'fd00:ec2::254',
  'fe80::1',
  'ff02::1',
  '2001:db8::1',
  '2001:0:1::1',
  '',
  'localhost',
  '2130706433',
]) {
  test(`"${address}" is not public`, () => assert.notEqual(addressKind(address), 'public'))
}

for (const address of ['8.8.8.8', '172.15.0.1', '172.32.0.1', '193.0.0.1', '2606:4700::1111', '2a00:1450:4001::1']) {
  test(`"${address}" is public`, () => assert.equal(addressKind(address), 'public'))
}
