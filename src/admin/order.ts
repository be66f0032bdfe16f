/** What a body says of an action: why, and the action's choices. Who wants it is known from the token. */
import type { Order } from '../provision/operator-order.ts'
import { AdminProblem } from './problems.ts'
import type { AdminVisit } from './visit.ts'

/** The choices of an action: name → type of its value. */
export type Choices = Readonly<Record<string, 'text' | 'flag'>>

export interface Ordered {
  readonly order: Order
  text(name: string): string | undefined
  flag(name: string): boolean
}

/** Throws 400 for anything that is missing, of another type, or not known. */
export function readOrder(
  { body, caller }: AdminVisit,
  choices: Choices = {},
  required: readonly string[] = [],
): Ordered {
  const types = new Map(Object.entries({ why: 'text', ...choices }))
  const given = new Map(Object.entries(body))
  for (const [name, value] of given) {
    const type = types.get(name)
    if (type === undefined)
      throw wrong(`it has a name that is not known here; there are: ${[...types.keys()].join(', ')}`)
    if (typeof value !== (type === 'text' ? 'string' : 'boolean'))
      throw wrong(`${name} has to be ${type === 'text' ? 'a text' : 'true or false'}`)
  }
  for (const name of ['why', ...required]) if (!given.has(name)) throw wrong(`${name} is missing`)
  const text = (name: string) => {
    const value = given.get(name)
    return typeof value === 'string' ? value.trim() : undefined
  }
  return {
    order: { operator: caller.name, why: text('why') ?? '' },
    text,
    flag: (name) => given.get(name) === true,
  }
}

function wrong(text: string): AdminProblem {
  return new AdminProblem('invalid_body', `The body is wrong: ${text}.`)
}
