/** Where a connected socket may lead. The name says nothing: whoever owns it may let it lead anywhere, and elsewhere next time. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * `public`: the internet. `inner`: this machine, private and shared networks, documentation; only for hosts that the operator
 * has listed. `forbidden`: no platform lives there, whatever the operator says: link-local, metadata services, multicast.
 */
export type AddressKind = 'public' | 'inner' | 'forbidden'

const forbidden = blockList(
  [
    // "This host": on Linux 0.0.0.0 is the machine itself.
    ['0.0.0.0', 8],
    // Cloud metadata services answer here, with credentials.
    ['169.254.0.0', 16],
    // Metadata of Alibaba, Oracle, and the host of a virtual machine on Azure.
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
    ['168.63.129.16', 32],
    // Multicast, reserved, broadcast.
    ['224.0.0.0', 3],
  ],
  [
    ['::', 128],
    // Metadata of Amazon and Google over IPv6.
    ['fd00:ec2::', 32],
    ['fd20:ce::254', 128],
    ['fe80::', 10],
    // Site-local, which nobody may use any more (RFC 3879).
    ['fec0::', 10],
    ['ff00::', 8],
    // Local NAT64 (RFC 8215) and Teredo: where they end cannot be told from the address alone.
    ['64:ff9b:1::', 48],
    ['2001::', 32],
  ],
)

const inner = blockList(
  [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
  ],
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    // 6to4.
    ['2002::', 16],
    ['3fff::', 20],
  ],
)

/** Of IPv6 only what is given out to the public counts as public. */
const given = blockList([], [['2000::', 3]])

/** Of the address of a connected socket; IPv4 within IPv6 (mapped, NAT64, 6to4) is never public: its target is elsewhere. */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) return kindOfIpv4(address)
  if (!isIPv6(address)) return 'forbidden'
  // `fe80::1%eth0`: the network card is not part of the address.
  const plain = address.split('%', 1)[0] ?? ''
  const carried = ipv4Within(plain)
  // Never more than inner: a platform is reached by its own address, not through another one.
  if (carried !== undefined) return kindOfIpv4(carried) === 'forbidden' ? 'forbidden' : 'inner'
  if (forbidden.check(plain, 'ipv6')) return 'forbidden'
  return given.check(plain, 'ipv6') && !inner.check(plain, 'ipv6') ? 'public' : 'inner'
}

/** For `ClientSettings.mayConnect`. */
export function addressRule(allowsInner: boolean): (address: string) => boolean {
  return (address) => {
    const kind = addressKind(address)
    return kind === 'public' || (kind === 'inner' && allowsInner)
  }
}

function kindOfIpv4(address: string): AddressKind {
  if (forbidden.check(address, 'ipv4')) return 'forbidden'
  return inner.check(address, 'ipv4') ? 'inner' : 'public'
}

/** The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64, 6to4. Not `::1` and `::`. */
function ipv4Within(address: string): string | undefined {
  const groups = groupsOf(address)
  const [first, second] = groups
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  if (first === 0x2002) return toIpv4(groups.slice(1, 3))
  if (first === 0x64 && second === 0xff9b && isZero(2, 6)) return toIpv4(groups.slice(6))
  const isMapped = isZero(0, 5) && groups[5] === 0xffff
  const isTranslated = isZero(0, 4) && groups[4] === 0xffff && groups[5] === 0
  const isCompatible = isZero(0, 6) && groups[6] !== 0
  return isMapped || isTranslated || isCompatible ? toIpv4(groups.slice(6)) : undefined
}

/** The eight numbers of an IPv6 address; the URL parser writes every form in one. */
function groupsOf(address: string): readonly number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  if (tail === undefined) return numbers(head)
  const left = numbers(head)
  const right = numbers(tail)
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function toIpv4(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}

type Net = readonly [net: string, prefix: number]

function blockList(ipv4: readonly Net[], ipv6: readonly Net[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of ipv4) list.addSubnet(net, prefix, 'ipv4')
  for (const [net, prefix] of ipv6) list.addSubnet(net, prefix, 'ipv6')
  return list
}
