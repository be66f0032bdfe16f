/** What buttons do: asked for with a reason, confirmed, done once, said. */
import { Problem } from '../errors.ts'
import { operatorReasonLength } from '../limits.ts'
import { type Done, NotDone, type Order } from '../provision/operator-order.ts'
import type { Answer, Page, Section } from './view.ts'
import type { Visit } from './visit.ts'

/** The page between a button and what it does. */
export interface Confirmation {
  readonly title: string
  readonly section: Section
  readonly meaning: string
  readonly button: string
  /** Path below the pages that the form goes to, and the one that leads back. */
  readonly action: string
  readonly back: string
  readonly hidden?: Readonly<Record<string, string>>
  /** The account id that the field begins with. */
  readonly account?: string | undefined
  readonly asksAccount?: boolean
  readonly offersForce?: boolean
}

export function confirmationPage({ title, section, ...content }: Confirmation): Page {
  const defaults = { hidden: {}, asksAccount: false, offersForce: false }
  return {
    title,
    template: 'confirm',
    section,
    content: { ...defaults, ...content, reasonLength: operatorReasonLength },
  }
}

/** Throws a `Problem` (409) with the reason when nothing was done. */
export async function act(visit: Visit, work: (order: Order) => Promise<Done>, goTo: string): Promise<Answer> {
  const order = { operator: visit.operator.name, why: (visit.form.get('why') ?? '').trim() }
  try {
    const { text } = await work(order)
    visit.say(`Done: ${text}.`)
    return { goTo }
  } catch (error) {
    if (!(error instanceof NotDone)) throw error
    throw new Problem(409, undefined, `Nothing was done: ${error.message}.`, { cause: error })
  }
}
