/** Personal tokens: whose they are and how far they see. */
import type { SimulatorRequest } from '../simulator.ts'
import { Refusal } from './answers.ts'
import type { FigshareAccount, FigshareState } from './state.ts'

export interface Caller {
  readonly account: FigshareAccount
  /** The group below which this administrator sees people. */
  readonly topGroup: number
}

export interface Tokens {
  /** Throws the portal's refusal for no, a wrong or a disabled account's token. */
  authenticate(request: SimulatorRequest): Caller
  add(token: string, accountId: number, topGroup: number): void
  withdraw(token: string): void
}

export function createTokens(state: FigshareState): Tokens {
  const owners = new Map<string, { readonly accountId: number; readonly topGroup: number }>()
  return {
    authenticate(request) {
      const token = tokenOf(request, state.knobs.acceptsBearer)
      const owner = token === undefined ? undefined : owners.get(token)
      const account = owner === undefined ? undefined : state.accounts.get(owner.accountId)
      if (owner === undefined || !account?.active) throw refusal(state)
      return { account, topGroup: owner.topGroup }
    },
    add: (token, accountId, topGroup) => {
      owners.set(token, { accountId, topGroup })
    },
    withdraw: (token) => {
      owners.delete(token)
    },
  }
}

export function refusal(state: FigshareState): Refusal {
  const status = state.knobs.badTokenStatus
  return status === 401
    ? new Refusal(401, 'Unauthorized', 'The access token is not valid')
    : new Refusal(403, 'InactiveAccount', 'The account of this token is not active')
}

function tokenOf(request: SimulatorRequest, acceptsBearer: boolean): string | undefined {
  const scheme = acceptsBearer ? /^(?:token|bearer) +(\S+)$/i : /^token +(\S+)$/i
  return scheme.exec(request.headers.authorization ?? '')?.[1] ?? request.query.get('access_token') ?? undefined
}

/** The account, when this token may see it. */
export function visibleAccount(state: FigshareState, caller: Caller, id: number): FigshareAccount | undefined {
  const account = state.accounts.get(id)
  return account !== undefined && state.isWithin(account.group_id, caller.topGroup) ? account : undefined
}
