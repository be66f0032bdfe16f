/** The resolver that Node asks for addresses, as far as one name is concerned. */
import dns from 'node:dns'
import { mock } from 'node:test'

export type NameFault = 'ENOTFOUND' | 'EAI_AGAIN' | 'never answers'

export interface Resolver {
  readonly name: string
  /** After so many more lookups. */
  fail(fault: NameFault, after: number): void
  heal(): void
  /** Lookups that have failed since then. */
  readonly failed: number
  end(): void
}

/** `name` is this machine until it fails; all other names are as they are. */
export function startResolver(name: string): Resolver {
  let fault: NameFault | undefined
  let left = 0
  let failed = 0
  const hanging: (() => void)[] = []
  const ask = dns.lookup
  type Answer = (error: Error | null, found?: readonly object[]) => void
  const mocked = mock.method(dns, 'lookup', (host: string, options: object, answer: Answer) => {
    if (host !== name) return ask(host, options, answer as never)
    if (fault === undefined || left > 0) {
      left -= 1
      return setImmediate(answer, null, [{ address: '127.0.0.1', family: 4 }])
    }
    failed += 1
    const refuse = (code: string) =>
      setImmediate(answer, Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code, hostname: host }))
    if (fault === 'never answers') hanging.push(() => refuse('EAI_AGAIN'))
    else refuse(fault)
  })
  /** The system gives up at last, long after everybody here has. */
  const giveUp = () => {
    for (const end of hanging.splice(0)) end()
  }
  return {
    name,
    fail(next, after) {
      fault = next
      left = after
      failed = 0
    },
    heal() {
      fault = undefined
      giveUp()
    },
    get failed() {
      return failed
    },
    end: () => mocked.mock.restore(),
  }
}
