/** How often a process that npm started looks whether npm is still there. */
const parentPollMs = 500
/** A second signal that comes sooner is the first one, told twice. */
const sameSignalMs = 500

/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once, as people expect of Ctrl-C. A terminal and systemd
 * tell the whole group of processes, of which the launcher hands on what it is told: that is one signal, not two. Under
 * `npm start` and `npm run demo` the shell in between dies of npm's SIGTERM and does not hand it on: without a look at the
 * parent the port would stay taken.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      let firstAt: number | undefined
      process.on(signal, () => {
        firstAt ??= performance.now()
        if (performance.now() - firstAt >= sameSignalMs) process.exit(1)
        resolve()
      })
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
