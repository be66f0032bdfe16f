/** Where a platform may not be unless its host is listed: addresses that lead inside. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

const inner = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Cloud metadata services answer here.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  inner.addSubnet(net, prefix, 'ipv4')
}

// Of IPv6 only what is given out to the public counts as public, without the forms that carry an IPv4 address in them.
const outer = new BlockList()
outer.addSubnet('2000::', 3, 'ipv6')
const carriers = new BlockList()
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4.
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  carriers.addSubnet(net, prefix, 'ipv6')
}

/**
 * Whether an address of a connected socket is one of the public internet. Not: loopback, private, link-local, metadata,
 * shared, documentation, multicast; not IPv4 within IPv6 (mapped, NAT64, 6to4), whose target is elsewhere.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !inner.check(address, 'ipv4')
  return isIPv6(address) && outer.check(address, 'ipv6') && !carriers.check(address, 'ipv6')
}
