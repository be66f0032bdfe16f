/**
 * A simulated Figshare in a process of its own, so that its CPU time is none of the bridge's. Arguments: how many people
 * there are, and at which distance from each other they have an account here.
 */
import { seedPeople } from '../src/cli/seed.ts'
import { createFigshare } from '../src/sandbox/figshare/figshare.ts'
import { startSimulator } from '../src/sandbox/server.ts'
import type { SeedPerson } from '../src/sandbox/simulator.ts'

const [people = 0, distance = 1] = process.argv.slice(2).map(Number)

function* peopleWithAccount(): Generator<SeedPerson> {
  let index = 0
  for (const person of seedPeople(people)) {
    if (index % distance === 0) yield person
    index += 1
  }
}

const figshare = createFigshare({ now: Date.now })
const accountIds = figshare.seed(peopleWithAccount())
const { baseUrl, controlUrl } = await startSimulator(figshare)
console.log(JSON.stringify({ baseUrl, controlUrl, credentials: figshare.credentials, accountIds }))
