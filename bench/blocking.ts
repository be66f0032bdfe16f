/** How long one request keeps the event loop from all others: the requests that have the most to do, one at a time. */

import { largeGroup } from './cases.ts'
import { sendWell, type Wanted } from './client.ts'
import { median } from './rounds.ts'
import { createGroup, type World } from './world.ts'

const repetitions = 5

export async function measureBlocking(world: World): Promise<readonly { what: string; ms: number }[]> {
  const { scim, token, bridge, users } = world
  const size = Math.min(users, largeGroup)
  const group = await createGroup(world, size, 'everybody')
  const asked: readonly { what: string; wanted: Wanted }[] = [
    { what: 'list of 1,000', wanted: { url: `${scim}/Users?count=1000`, token } },
    { what: 'list of 1,000, projected', wanted: { url: `${scim}/Users?count=1000&attributes=userName`, token } },
    {
      what: 'filter without an index',
      wanted: {
        url: `${scim}/Users?filter=${encodeURIComponent('title co "search" and nickName pr and active eq true')}`,
        token,
      },
    },
    { what: `GET a group of ${size.toLocaleString('en')}`, wanted: { url: `${scim}/Groups/${group}`, token } },
  ]
  const results: { what: string; ms: number }[] = []
  for (const { what, wanted } of asked) {
    const blocked: number[] = []
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      await bridge.ask({ ask: 'watch' })
      await sendTolerantly(wanted)
      blocked.push((await bridge.ask({ ask: 'reading' })).blockedMs)
    }
    // Another program's turn on the processor looks like a block, too; hardly every time.
    results.push({ what, ms: median(blocked) })
  }
  return results
}

/** `tooMany` is an answer like others here: it took its time. */
async function sendTolerantly(wanted: Wanted): Promise<void> {
  await sendWell(wanted).catch((error: unknown) => {
    if (!(error instanceof Error && error.message.includes('tooMany'))) throw error
  })
}
