import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLineWriter, mostWaiting } from '../src/log-lines.ts'
import { root } from './cli/processes.ts'

/** A disk that is full at first, and takes half of what is there afterwards. */
function aDisk() {
  const disk = { text: '', isFull: true, calls: 0 }
  const take = (bytes: Buffer) => {
    disk.calls += 1
    if (disk.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const written = bytes.subarray(0, Math.ceil(bytes.length / 2))
    disk.text += written.toString('latin1')
    return written.length
  }
  const sink = {
    write(bytes: Buffer, done: (error: Error | null, written: number) => void) {
      try {
        done(null, take(bytes))
      } catch (error) {
        done(error instanceof Error ? error : new Error('failed'), 0)
      }
    },
    writeSync: take,
  }
  return { disk, writer: createLineWriter(sink, () => Date.parse('2027-03-01T08:00:00Z')) }
}

test('log lines that a full disk did not take are written when it has room again, whole and in order', () => {
  const { disk, writer } = aDisk()
  writer.write('{"msg":"first"}\n')
  writer.flush()
  writer.write('{"msg":"second"}\n')
  writer.flush()
  assert.equal(disk.text, '')
  disk.isFull = false
  writer.flush()
  writer.flush()
  assert.equal(disk.text, '{"msg":"first"}\n{"msg":"second"}\n')
})

test('of more lines than can wait the log says afterwards how many were lost', () => {
  const { disk, writer } = aDisk()
  const line = `${'x'.repeat(mostWaiting / 2 - 1)}\n`
  for (let count = 0; count < 5; count += 1) writer.write(line)
  disk.isFull = false
  for (let count = 0; count < 3; count += 1) writer.flush()
  const lines = disk.text.split('\n').filter((one) => one !== '')
  assert.deepEqual(
    lines.map((one) => one.slice(0, 1)),
    ['x', 'x', 'x', '{'],
  )
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {
    level: 40,
    time: '2027-03-01T08:00:00.000Z',
    lines: 2,
    msg: 'log lines were lost: they could not be written',
  })
})

test('at the end what waits goes out, and a disk that stays full is not waited for', () => {
  const { disk, writer } = aDisk()
  writer.write('{"msg":"last"}\n')
  writer.end()
  assert.deepEqual([disk.text, disk.calls], ['', 1])
  disk.isFull = false
  writer.end()
  assert.equal(disk.text, '{"msg":"last"}\n')
})

test('a process whose stderr is on a full disk goes on, and ends when it is told to', { timeout: 20_000 }, async () => {
  const program = `
    import { createLog } from ${JSON.stringify(join(root, 'src', 'log.ts'))}
    const log = createLog('info')
    for (let count = 0; count < 500; count += 1) log.info({ count }, 'a line')
    await new Promise((resolve) => setTimeout(resolve, 700))
    log.info('still here')
    console.log('went on')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', openSync('/dev/full', 'w')],
  })
  let stdout = ''
  child.stdout?.on('data', (piece: Buffer) => {
    stdout += piece
  })
  const stuck = setTimeout(() => child.kill('SIGKILL'), 10_000)
  const status = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(stuck)
  assert.deepEqual({ status, stdout }, { status: 0, stdout: 'went on\n' })
})
