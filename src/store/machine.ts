/** Where process ids mean something: two containers may have one host's name, and in each there is a process 1. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** include/linux/proc_ns.h, PROC_PID_INIT_INO: the processes of the machine itself. */
const wholeMachine = 'pid:[4026531836]'

let known: string | undefined

/** The host's name, and the container if we are in one: the same after its restart, and no other's. */
export function machine(): string {
  known ??= machineOf(hostname(), told(readMounts) ?? '', told(readProcesses))
  return known
}

/**
 * `mounts`: /proc/self/mountinfo (proc_pid_mountinfo(5)). Docker, Podman and Kubernetes mount `/etc/hostname` or `/etc/hosts` of each
 * container from a folder that has its id in its name. `processes`: of whoever has neither, the processes that see each other.
 */
export function machineOf(host: string, mounts: string, processes: string | undefined): string {
  const container = containerIn(mounts)
  if (container !== undefined) return `${host} (container ${container})`
  return processes === undefined || processes === wholeMachine ? host : `${host} (${processes})`
}

function containerIn(mounts: string): string | undefined {
  const places = mounts.split('\n').map((line) => line.split(' '))
  for (const file of ['/etc/hostname', '/etc/hosts']) {
    const [, , , from = ''] = places.find((words) => words[4] === file) ?? []
    const id = /[0-9a-f]{64}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}/.exec(from)?.[0]
    if (id !== undefined) return id.slice(0, 12)
  }
  return undefined
}

const readMounts = () => readFileSync('/proc/self/mountinfo', 'utf8')
const readProcesses = () => readlinkSync('/proc/self/ns/pid')

/** Undefined where the system does not say. */
function told(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
