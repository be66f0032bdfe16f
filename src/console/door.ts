import type { Request } from 'express'

/** Somebody who has signed in, and the connections that they may see. */
export interface Operator {
  /** For audit and log. */
  readonly name: string
  readonly connections: readonly string[]
}

/** Who may see these pages; decided where all callers are known. */
export interface Door {
  /** Whether anybody could sign in. */
  isOpen(): Promise<boolean>
  /** `key` stands for the token in the session, and tells nothing of it. Throws a `Problem` (401, 429). */
  signIn(request: Request, token: string, requestId: string): Promise<{ operator: Operator; key: string }>
  /** Undefined: operators have tokens only. */
  readonly oidc:
    | {
        readonly host: string
        /** Throws a `Problem` (429, 503). */
        begin(request: Request): Promise<{ readonly address: string; readonly cookie: string }>
        finish(
          request: Request,
          cookie: string | undefined,
          answer: URLSearchParams,
          requestId: string,
        ): Promise<{ operator: Operator; key: string }>
      }
    | undefined
  /** Undefined: the token is not good any more. */
  operatorOf(key: string): Promise<Operator | undefined>
}
