/** An alarm as a message to people: what is so, what it means, what to do, where to look. Pure. */
import type { MailMessage } from '../platforms/mail.ts'
import type { AlarmKind, Detail } from './conditions.ts'
import type { Telling } from './way.ts'

interface Words {
  /** After the name of the connection, in the subject. */
  readonly subject: string
  readonly now: (detail: Detail) => string
  readonly over: string
  readonly todo: string
  /** Page of the console, and the heading in docs/runbook.md. */
  readonly page: string
  readonly runbook: string
}

const words: Readonly<Record<AlarmKind, Words>> = {
  suspended: {
    subject: 'the platform is not called any more',
    now: ({ reason }) => `The bridge has suspended its calls to the platform (reason: ${reason}).`,
    over: 'The platform is called again.',
    todo: `Changes are kept and made later; nothing is lost. Until then people who leave keep their accounts.
If the reason is "denied", the platform refuses the bridge's own credentials: look whether its service account is
locked, or its password or token has expired, and put the new one in its place. Any other reason: the platform does
not answer; the bridge tries again by itself. "scim-bridge check" asks the platform and says what it sees.`,
    page: 'setup',
    runbook: 'calls to the platform are suspended',
  },
  departure_late: {
    subject: 'somebody who left may still have an account',
    now: ({ people, minutes }) =>
      `${count(people, 'person', 'people')} who left may still have an account that is on, after more than ${minutes} minutes.`,
    over: 'The accounts of all who left were seen to be off.',
    todo: `If it matters now, switch the accounts off by hand on the platform: the bridge finds them so and is done.
Then see why they could not be switched off; the page below says it for each.`,
    page: 'operations',
    runbook: 'somebody who left still has an account that may be on',
  },
  failed: {
    subject: 'changes were given up',
    now: ({ operations }) =>
      `${count(operations, 'change was', 'changes were')} given up and wait for somebody to decide.`,
    over: 'No change waits for somebody any more.',
    todo: 'The page below says what each one met and what mends it; from there they can be tried again.',
    page: 'operations',
    runbook: 'an operation needs an operator',
  },
  mass_departure: {
    subject: 'unusually many people have left',
    now: ({ people, users, limit }) =>
      `${people} of ${users} people were switched off or deleted within an hour; more than ${limit} are unusual.`,
    over: 'Not unusually many people have left within the last hour.',
    todo: `If that is right (end of term), nothing is to be done. If it is a mistake, correct the assignments in the
identity provider: whoever it pushes as active is switched on again.`,
    page: 'requests',
    runbook: 'unusually many people have left within an hour; look at the assignments in the identity provider',
  },
}

const beginnings = { raised: '', repeated: 'still: ', cleared: 'over: ' } as const

export function mailOf(telling: Telling, publicUrl: string): MailMessage {
  const { connection, kind, state, since, now, told, detail } = telling
  const { subject, over, todo, page, runbook, ...of } = words[kind]
  const alarm = `${connection}.${kind}.${since}`
  const begun = `since ${minuteOf(since)}`
  const paragraphs =
    state === 'cleared'
      ? [`${connection}: ${over}`, `The alarm was on ${begun} and is over.`]
      : [`${connection}: ${of.now(detail)}`, `It is so ${begun}.`, `What to do:\n${todo}`]
  const where = `Look here: ${publicUrl}/console/${page}?connection=${connection}
Runbook: docs/runbook.md, "${runbook}"`
  return {
    id: `${alarm}.${told}`,
    ...(told === 1 ? {} : { follows: `${alarm}.1` }),
    subject: `[scim-bridge] ${connection}: ${beginnings[state]}${subject}`,
    text: `${[...paragraphs, where, `Sent by scim-bridge at ${publicUrl}. Who gets this is said in bridge.yaml, alarms.email.`].join('\n\n')}\n`,
    now,
  }
}

function count(number: string | number | undefined, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

/** `2027-03-01 08:00 UTC` */
function minuteOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Headings of docs/runbook.md that messages name. */
export const runbookHeadings: readonly string[] = Object.values(words).map(({ runbook }) => runbook)
