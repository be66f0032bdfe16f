import { claimRenewalMs } from '../limits.ts'

/**
 * `link`: an attempt at a resource's operation; `account`: taking an account over; `walk`: a walk's next step; `bridge`: it runs;
 * `requests`: what operators ask for; `alarm`: telling one; `suspension`: this process calls the platform no more.
 */
export type ClaimKind = 'link' | 'account' | 'walk' | 'bridge' | 'requests' | 'alarm' | 'suspension'

/**
 * Several processes may share a store: what must not be done twice at a time is claimed first. A claim ends by itself after
 * `claimMs`, so that nothing is lost with its holder; claiming again renews it.
 */
export interface ClaimStore {
  /** False while another process, or another owner in this one, has it. */
  claim(connection: string, kind: ClaimKind, name: string, owner: string): Promise<boolean>
  /** False when it is this owner's no more, also when nobody has it: somebody else may have had it, and be done. */
  renewClaim(connection: string, kind: ClaimKind, name: string, owner: string): Promise<boolean>
  /** Whether any process has a claim of this kind. */
  isClaimed(connection: string, kind: ClaimKind): Promise<boolean>
  /** Everything that this owner in this process has claimed. */
  releaseClaims(connection: string, owner: string): Promise<void>
}

/** A store that belongs to one process, which knows what it does: nobody else claims anything. */
export const soleClaims: ClaimStore = {
  claim: () => Promise.resolve(true),
  renewClaim: () => Promise.resolve(true),
  isClaimed: () => Promise.resolve(false),
  releaseClaims: () => Promise.resolve(),
}

/** Something that one process at a time does, whoever of them. */
export interface SharedTask {
  readonly connection: string
  readonly kind: 'requests' | 'alarm'
  readonly name: string
}

/** False while another process is at it. Claimed again, the time begins anew. */
export function claimTask(store: ClaimStore, { connection, kind, name }: SharedTask): Promise<boolean> {
  return store.claim(connection, kind, name, `${kind}/${name}`)
}

/**
 * Does it unless another process is at it; undefined then. What another one has done before is in the store by now: `work` reads
 * it anew.
 */
export async function whileClaimed<Result>(
  store: ClaimStore,
  task: SharedTask,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (!(await claimTask(store, task))) return undefined
  const renewal = setInterval(() => void claimTask(store, task).catch(() => undefined), claimRenewalMs)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    // Not done when the store is away: the claim ends by itself.
    await store.releaseClaims(task.connection, `${task.kind}/${task.name}`).catch(() => undefined)
  }
}
