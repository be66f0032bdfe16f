import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machine, machineOf } from '../../src/store/machine.ts'

const id = '3f2a9c1b2d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcd'
const mounted = (from: string, at: string) => `1045 1020 8:1 ${from} ${at} rw,relatime - ext4 /dev/sda1 rw\n`
const whole = 'pid:[4026531836]'

for (const [what, mounts, expected] of [
  ['Docker', mounted(`/var/lib/docker/containers/${id}/hostname`, '/etc/hostname'), 'scim (container 3f2a9c1b2d4e)'],
  ['Podman', mounted(`/overlay-containers/${id}/userdata/hostname`, '/etc/hostname'), 'scim (container 3f2a9c1b2d4e)'],
  [
    'Kubernetes',
    mounted('/var/lib/kubelet/pods/8d3f0c1e-6a4b-4c8e-9b7a-1f2e3d4c5b6a/etc-hosts', '/etc/hosts'),
    'scim (container 8d3f0c1e-6a4)',
  ],
  ['a machine without containers', mounted('/', '/'), 'scim'],
  [
    'a machine whose /etc/hostname is mounted from a file of its own',
    mounted('/conf/hostname', '/etc/hostname'),
    'scim',
  ],
] as const) {
  test(`processes of ${what} are told apart`, () => assert.equal(machineOf('scim', mounts, whole), expected))
}

test('where the container has no name its processes are told apart by who sees them', () => {
  assert.equal(machineOf('scim', '', 'pid:[4026532281]'), 'scim (pid:[4026532281])')
  assert.equal(machineOf('scim', '', undefined), 'scim')
})

test('it is the same each time it is asked', () => assert.equal(machine(), machine()))
