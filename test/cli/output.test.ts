import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { test } from 'node:test'
import { main } from './processes.ts'

/** Its output goes to a file, or to a reader who is gone before it comes. */
async function ended(stdout: number | 'pipe'): Promise<{ status: unknown; stderr: string }> {
  const child = spawn(process.execPath, [main, 'completion', 'bash'], { stdio: ['ignore', stdout, 'pipe'] })
  child.stdout?.destroy()
  let stderr = ''
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  return { status, stderr }
}

test('a command whose reader has had enough, as head has, just ends', async () => {
  assert.deepEqual(await ended('pipe'), { status: 0, stderr: '' })
})

test('a command that cannot write its output says so in one line', async () => {
  assert.deepEqual(await ended(openSync('/dev/full', 'w')), {
    status: 1,
    stderr: 'scim-bridge: the output cannot be written (ENOSPC): it is not whole\n',
  })
})
