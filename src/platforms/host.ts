import { isIP } from 'node:net'
import { addressKind } from './address.ts'

/**
 * What is wrong with the host of a base URL as far as it can be told without looking it up; where a name leads is checked on
 * the connected socket. The URL parser has turned decimal, octal and hexadecimal spellings into plain addresses.
 */
export function hostProblem(baseUrl: string, allowsInner: boolean): string | undefined {
  const hostname = URL.parse(baseUrl)?.hostname
  if (hostname === undefined) return undefined
  if (hostname.endsWith('.')) return 'the host ends with a dot: write it without, as its certificate does'
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  if (isIP(address) === 0 && !isLocal) return undefined
  const kind = isLocal ? 'inner' : addressKind(address)
  if (kind === 'forbidden')
    return 'no platform is at this address (link-local, metadata service, multicast): use its own'
  if (kind === 'public' || allowsInner) return undefined
  return 'this address is in this machine or in a private network: say allowPrivateAddresses: true if the platform is there'
}
