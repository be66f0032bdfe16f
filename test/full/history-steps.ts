/** Random steps of a history, and how many histories are run. */
import fc from 'fast-check'
import { historyConnections, runHistory, type Step } from './history.ts'
import { groups } from './history-groups.ts'
import { people } from './history-people.ts'
import { scene } from './history-scenes.ts'
import { assertRuns, type Replay } from './replay.ts'

const at = fc.constantFrom(...historyConnections)
const who = fc.nat({ max: people - 1 })
const familyName = fc.constantFrom('Byron', 'King', 'Hopper')
const group = fc.nat({ max: groups - 1 })
const maybe = fc.constantFrom(true, false, undefined)
const modes = [
  'down',
  'lost',
  'html',
  '500',
  '500-after',
  '401',
  '429',
  'reset-after',
  'truncated',
  'redirect',
  'refused',
  'unprocessable',
] as const

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('create'), at, who, active: maybe }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put'), at, who, familyName, active: maybe }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('patch'), at, who, familyName }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('switch'), at, who, active: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), at, who }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('by hand'), at, who, change: fc.constantFrom('off', 'on', 'rename') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('push'), at, group, members: fc.array(who, { maxLength: people }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('member'), at, group, who, isAdded: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename group'), at, group, name: group }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete group'), at, group }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('grant by hand'),
      at,
      who,
      group: fc.nat({ max: groups }),
      isGiven: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault'),
      at,
      mode: fc.constantFrom(...modes),
      only: fc.constantFrom('reads', 'writes', undefined),
      skip: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: at.map((where): Step => ({ do: 'fault', at: where, mode: 'ok', only: undefined, skip: 0 })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('time'), ms: fc.constantFrom(1_000, 10_000, 60_000, 600_000, 7_200_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconcile'), at, isRepair: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('operate'), at, who, action: fc.constantFrom('retry', 'reapply') }),
  },
)

/** Single steps, and stories of several: about half of all steps are of either kind. */
const chapter: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 8, arbitrary: step.map((one) => [one]) },
  { weight: 1, arbitrary: scene(at) },
)

/** Everybody is there, in two groups: what follows is about memberships more often than about creates. */
const settled: readonly Step[] = historyConnections.flatMap((at): Step[] => [
  ...Array.from({ length: people }, (_, who): Step => ({ do: 'create', at, who, active: true })),
  { do: 'push', at, group: 0, members: [0, 1] },
  { do: 'push', at, group: 1, members: [1, 2] },
])

/** Rejects with the history that breaks something. */
export async function runHistories(replay: Replay, runs: number, steps: number): Promise<void> {
  await assertRuns(
    fc.asyncProperty(
      // What is answered before it is made is judged by its end alone: fewer of these show as much.
      fc.constantFrom('confirmed', 'confirmed', 'deferred'),
      fc.constantFrom([], settled),
      fc.array(chapter, { minLength: replay.isShrunk ? 1 : steps, maxLength: steps }),
      (mode, beginning, then) => runHistory([...beginning, ...then.flat().slice(0, steps)], mode),
    ),
    replay,
    runs,
  )
}
