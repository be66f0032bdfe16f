/** `link`: an attempt at a resource's operation; `account`: taking an account over; `walk`: a walk's next step; `bridge`: it runs. */
export type ClaimKind = 'link' | 'account' | 'walk' | 'bridge'

/**
 * Several processes may share a store: what must not be done twice at a time is claimed first. A claim ends by itself after
 * `claimMs`, so that nothing is lost with its holder; claiming again renews it.
 */
export interface ClaimStore {
  /** False while another process, or another owner in this one, has it. */
  claim(connection: string, kind: ClaimKind, name: string, owner: string): Promise<boolean>
  /** Everything that this owner in this process has claimed. */
  releaseClaims(connection: string, owner: string): Promise<void>
}

/** A store that belongs to one process, which knows what it does. */
export const soleClaims: ClaimStore = {
  claim: () => Promise.resolve(true),
  releaseClaims: () => Promise.resolve(),
}
