import { PlatformError } from '../errors.ts'
import { requestBudgetMs } from '../limits.ts'
import type { Provision } from './provision.ts'

export interface Checked {
  readonly isGood: boolean
  readonly text: string
}

/** Whether the platform answers and takes our credentials. Reads only, and once: some platforms count wrong log-ins. */
export async function checkPlatform(provision: Provision): Promise<Checked> {
  const { platform, facts } = provision.connection
  const refuse = () => Promise.reject(new Error('a check writes nothing'))
  const signal = AbortSignal.timeout(requestBudgetMs)
  try {
    await platform.check({ signal, beforeWrite: refuse, created: refuse })
    return { isGood: true, text: `${facts.title} answers, and takes the credentials` }
  } catch (error) {
    if (signal.aborted) return { isGood: false, text: `${facts.title} did not answer in time` }
    if (!(error instanceof PlatformError)) throw error
    // Refused credentials suspend the calls, as they would have at the next change.
    provision.noteFailure(error)
    return { isGood: false, text: `${error.message} (${error.detail})` }
  }
}
