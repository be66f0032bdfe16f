import { requestBudgetMs } from '../limits.ts'
import { checkPlatform } from '../provision/check-platform.ts'
import type { ConsoleOptions } from './console.ts'
import { type Answer, type Page, queryText } from './view.ts'
import { chosenConnection, type Visit, visibleTo } from './visit.ts'

/** What an administrator of the identity provider needs, and whether the platform takes our credentials. */
export function createSetup({ connections }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, provision, scimUrl, waysIn } = chosenConnection(visit, connections)
    const { facts, mode } = provision.connection
    return {
      title: 'Setup',
      template: 'setup',
      section: 'setup',
      content: {
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        scimUrl,
        waysIn,
        mode,
        platform: facts.title,
        locks: facts.locksOnWrongCredentials,
        budgetSeconds: requestBudgetMs / 1_000,
      },
    }
  }
}

/** Asks the platform. */
export function createCheck({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const { isGood, text } = await checkPlatform(provision)
    visit.say(isGood ? `Good: ${text}.` : `Not good: ${text}`)
    return { goTo: `/setup${queryText({ connection: name })}` }
  }
}
