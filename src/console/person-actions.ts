/** What may be done about one person, in words, and the buttons that do it. */
import { actOnPerson, isPersonAction, type PersonAction } from '../operator/person-actions.ts'
import type { Order } from '../provision/operator-order.ts'
import { act, confirmationPage } from './act.ts'
import type { ConsoleOptions } from './console.ts'
import type { Answer } from './view.ts'
import { connectionNamed, noSuchPage, type Visit } from './visit.ts'

export interface ActionWords {
  readonly label: string
  /** What it comes to, on the page that asks for confirmation. */
  readonly meaning: string
}

export const actionWords: Readonly<Record<PersonAction, ActionWords>> = {
  retry: {
    label: 'Try again now',
    meaning: 'What failed or waits for this person is attempted at once, as if it had never been tried.',
  },
  hold: {
    label: 'Hold',
    meaning:
      'Nothing is written for this person until you release it, whatever the identity provider asks for. If the person was to be switched off, the account stays on meanwhile.',
  },
  release: { label: 'Release', meaning: 'What is held for this person goes on now.' },
  reapply: {
    label: 'Apply again',
    meaning:
      'The account is read, and everything that differs from what is stored is written. Nobody is switched on by it.',
  },
  unlink: {
    label: 'Unlink the account',
    meaning:
      'The account stays on the platform as it is, and is not written for this person any more. Only adopting one links an account again.',
  },
  adopt: {
    label: 'Adopt an account',
    meaning:
      "The account with this id becomes this person's, whatever the mapping's match says, and is brought to what is stored.",
  },
}

/** Asks for confirmation. */
export function createAskPerson({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name } = connectionNamed(visit, connections, visit.parameters.connection)
    const { id = '', action } = visit.parameters
    if (!isPersonAction(action)) throw noSuchPage()
    const { label, meaning } = actionWords[action]
    return confirmationPage({
      title: label,
      section: 'people',
      meaning,
      button: label,
      action: `${personPath(name, id)}/${action}`,
      back: personPath(name, id),
      asksAccount: action === 'adopt',
      account: visit.query.get('account') ?? '',
      offersForce: action === 'unlink',
    })
  }
}

/** Does it. */
export function createActOnPerson({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name, provision } = connectionNamed(visit, connections, visit.parameters.connection)
    const { id = '', action } = visit.parameters
    if (!isPersonAction(action)) throw noSuchPage()
    const choices = { accountId: (visit.form.get('account') ?? '').trim(), isForced: visit.form.get('force') === 'on' }
    const work = (order: Order) => actOnPerson(provision.operator, order, id, action, choices)
    return act(visit, work, personPath(name, id))
  }
}

function personPath(connection: string, id: string): string {
  return `/people/${encodeURIComponent(connection)}/${encodeURIComponent(id)}`
}
