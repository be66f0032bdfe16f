import { setTimeout as pause } from 'node:timers/promises'

/** Asks again, moving time along with `between`, until the answer is true; gives up loudly. For work that goes on in the background. */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  between: () => void = () => {},
): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (await ask()) return
    between()
    await pause(5)
  }
  throw new Error(`never happened: ${what}`)
}
