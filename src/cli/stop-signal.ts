/** How often a process that npm started looks whether npm is still there. */
const parentPollMs = 500
/** A second signal that comes sooner is the first one, told twice. */
const sameSignalMs = 500

/** SIGHUP: the terminal was closed, or the network to it is gone. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

const endAtOnce = () => process.exit(1)

/**
 * Until somebody asks for `stopSignal` a signal ends the process, as it does everywhere but in a container: process 1 is spared what
 * it does not listen for (pid_namespaces(7)), and would be killed only when the patience for its end is over.
 */
export function endAtSignal(): void {
  if (process.pid === 1) for (const signal of signals) process.on(signal, endAtOnce)
}

/**
 * Resolves at the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once, as people expect of Ctrl-C. A terminal and systemd
 * tell the whole group of processes, of which the launcher hands on what it is told: that is one signal, not two. Under
 * `npm start` and `npm run demo` the shell in between dies of npm's SIGTERM and does not hand it on: without a look at the
 * parent the port would stay taken.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      let firstAt: number | undefined
      process.on(signal, () => {
        firstAt ??= performance.now()
        if (performance.now() - firstAt >= sameSignalMs) process.exit(1)
        resolve()
      })
      // Only now: one that came while everything was loaded would be lost with the last who listens.
      process.off(signal, endAtOnce)
    }
    if (process.env.npm_lifecycle_event === undefined) return
    const parent = process.ppid
    const poll = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(poll)
      resolve()
    }, parentPollMs).unref()
  })
}
