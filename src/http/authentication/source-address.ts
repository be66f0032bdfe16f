import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP, isIPv6 } from 'node:net'

/** Longer chains of proxies are not honest. */
const mostHops = 20

/**
 * Where a request comes from. `X-Forwarded-For` is read from its end, and only as far as every address behind was written
 * by a proxy that is trusted: what stands before could have been sent by anybody.
 */
export function sourceAddress(request: IncomingMessage, trusted: BlockList): string {
  let address = plain(request.socket.remoteAddress ?? '')
  const written = request.headers['x-forwarded-for']
  if (written === undefined) return address
  const hops = (Array.isArray(written) ? written.join(',') : written).split(',')
  for (let left = mostHops; left > 0 && hops.length > 0 && isListed(trusted, address); left -= 1) {
    const hop = withoutPort(hops.pop()?.trim() ?? '')
    if (isIP(hop) === 0) break
    address = plain(hop)
  }
  return address
}

export function isListed(list: BlockList, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** Whoever has an IPv6 address has 2^64 of them: they count as one source. */
export function sourceKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::', 2)
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return `${[...before, ...(tail === undefined ? [] : zeros), ...after].slice(0, 4).join(':')}::/64`
}

/** `::ffff:192.0.2.7`, as a socket for both families names it, is 192.0.2.7. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return (mapped ?? address).toLowerCase()
}

/** Some proxies write `192.0.2.7:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop
}
