/** What the operator's pages read beyond what provisioning does, and the requests that are kept for them. */
import type { AuditEntry, Operation } from './store.ts'

/** Unfinished operations that wait, were put aside or are held for one and the same reason. */
export interface CauseCount {
  readonly state: Operation['state']
  readonly errorKind: string | undefined
  readonly errorMessage: string | undefined
  readonly count: number
  /** When the oldest of them was asked for; ISO 8601. */
  readonly since: string
}

/** One request of an identity provider. */
export interface KeptRequest {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly requestId: string
  readonly caller: string
  readonly method: string
  /** As in the log: `Users/*`. */
  readonly route: string
  readonly resourceId: string | undefined
  /** Masked, as bodies are. */
  readonly query: string | undefined
  readonly status: number
  readonly ms: number
  /** What the answer said was wrong. */
  readonly detail: string | undefined
  readonly sent: string | undefined
  readonly answered: string | undefined
}

export interface RequestQuery {
  /** Requests before this one; undefined: from the newest on. */
  readonly beforeId: number | undefined
  readonly limit: number
  readonly resourceIds?: readonly string[] | undefined
  readonly requestId?: string | undefined
  /** From and to, both included. */
  readonly statuses?: readonly [number, number] | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** `isAnyText`: whatever the message is. */
export type CauseWanted = Pick<CauseCount, 'state' | 'errorKind' | 'errorMessage'> & { readonly isAnyText?: boolean }

export interface ConsoleReads {
  /** Commonest first. */
  causes(connection: string, limit: number): Promise<readonly CauseCount[]>
  /** In the order in which they were accepted. */
  operationsOfCause(
    connection: string,
    cause: CauseWanted,
    afterId: number,
    limit: number,
  ): Promise<readonly Operation[]>
  /** A person's or a group's lines of the audit, newest first. */
  historyOf(
    connection: string,
    resourceId: string,
    beforeId: number | undefined,
    limit: number,
  ): Promise<readonly (AuditEntry & { readonly id: number })[]>
  /** Members of a group in the order of their ids. */
  memberIds(connection: string, groupId: string, afterId: string, limit: number): Promise<readonly string[]>
  countMembers(connection: string, groupId: string): Promise<number>
  /** Newest first. */
  requests(connection: string, query: RequestQuery): Promise<readonly (KeptRequest & { readonly id: number })[]>
}

export interface RequestWrites {
  /** All at once, in their order. */
  keepRequests(connection: string, requests: readonly KeptRequest[]): Promise<void>
  /** Those from before this time, and all but the newest `most`. */
  forgetRequests(connection: string, before: number, most: number): Promise<void>
}
