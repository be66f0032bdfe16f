#!/usr/bin/env node
// The command `scim-bridge`. Plain CommonJS, because the Node that starts it may be older than the one it needs:
// it hands over to the Node that came with the packages, when there is one.
'use strict'

const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')

const root = path.dirname(path.dirname(__dirname))
const brought = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const [major, minor] = process.versions.node.split('.').map(Number)
const isOld = major < 24 || (major === 24 && minor < 15)
if (isOld && !existsSync(brought)) require('./node-version.cjs')

const child = spawn(
  isOld ? brought : process.execPath,
  [...require('./node-flags.cjs'), path.join(root, 'src', 'main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    shell: isOld && process.platform === 'win32',
    env: { ...require('./node-environment.cjs'), ...process.env },
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1)
})
