import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, root, start, within } from './processes.ts'

/** unshare(1): the program becomes process 1. */
const ownProcesses = ['--map-root-user', '--pid', '--fork', '--kill-child']

function skipContainers(): string | false {
  const { status } = spawnSync('unshare', [...ownProcesses, 'true'])
  return status === 0 ? false : 'this system does not let us give a process an id of its own'
}

/** A process that needs a while to end well, as a bridge with work under way does. */
function aProcess(): Running {
  const program = `
    import { stopSignal } from ${JSON.stringify(join(root, 'src', 'cli', 'stop-signal.ts'))}
    const stopped = stopSignal()
    const running = setInterval(() => {}, 1_000)
    console.log('running')
    await stopped
    console.log('stopping')
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    console.log('ended well')
    clearInterval(running)`
  return start(process.execPath, ['--input-type=module', '--eval', program])
}

async function told(running: Running, signal: NodeJS.Signals): Promise<void> {
  await within(20_000, 'it runs', () => running.stdout().includes('running\n'))
  running.child.kill(signal)
  await within(20_000, 'it is told', () => running.stdout().includes('stopping\n'))
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`a ${signal} that comes twice, from the terminal or systemd and from the launcher, ends the process well`, async () => {
    const running = aProcess()
    await told(running, signal)
    running.child.kill(signal)
    const { status, stdout } = await running.ended
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'running\nstopping\nended well\n' })
  })
}

test('a second Ctrl-C ends the process at once', async () => {
  const running = aProcess()
  await told(running, 'SIGINT')
  await pause(700)
  running.child.kill('SIGINT')
  const { status, stdout } = await running.ended
  assert.deepEqual({ status, stdout }, { status: 1, stdout: 'running\nstopping\n' })
})

describe('as process 1 of a container, where the system ignores what nobody listens for,', {
  skip: skipContainers(),
}, () => {
  const module = JSON.stringify(join(root, 'src', 'cli', 'stop-signal.ts'))
  const begin = `
    import { endAtSignal, stopSignal } from ${module}
    endAtSignal()
    process.kill(process.pid, 'SIGTERM')
    const running = setInterval(() => {}, 1_000)`
  const processOne = (program: string) =>
    start('unshare', [...ownProcesses, process.execPath, '--input-type=module', '--eval', begin + program]).ended

  test('a signal ends whatever does not ask for it', async () => {
    assert.equal((await processOne('')).status, 1)
  })

  test('one that comes while the program is loaded is told to whoever asks afterwards', async () => {
    const { status, stdout } = await processOne(`
      await stopSignal()
      console.log('ended well')
      clearInterval(running)`)
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'ended well\n' })
  })
})
