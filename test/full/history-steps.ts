/** Random steps of a history, and how many histories are run. */
import fc from 'fast-check'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { type AtOnceStep, type HistoryConnection, type Pair, runHistory, type Step } from './history.ts'
import { type GroupStep, groups } from './history-groups.ts'
import type { KillStep } from './history-kills.ts'
import { type PersonStep, people } from './history-people.ts'
import { scene } from './history-scenes.ts'
import { assertRuns, type Replay } from './replay.ts'

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

type At = fc.Arbitrary<HistoryConnection>

const requestOf = (at: At): fc.Arbitrary<PersonStep | GroupStep> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('create'), at, who, active: maybe }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('put'), at, who, familyName, active: maybe }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('patch'), at, who, familyName }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('switch'), at, who, active: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), at, who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rename'), at, who, as: who }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('push'), at, group, members: fc.array(who, { maxLength: people }) }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('member'), at, group, who, isAdded: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rename group'), at, group, name: group }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete group'), at, group }) },
  )

const killOf = (at: At): fc.Arbitrary<KillStep> =>
  fc
    .tuple(requestOf(at), fc.nat({ max: 6 }), fc.boolean())
    .map(([during, calls, isDone]) => ({ do: 'kill', at: during.at, during, calls, isDone }))

/** Two that may meet: which of two answers about the same membership counts, nobody could say. */
const atOnceOf = (at: HistoryConnection): fc.Arbitrary<AtOnceStep> =>
  fc
    .tuple(requestOf(fc.constant(at)), requestOf(fc.constant(at)), who, fc.boolean(), fc.constantFrom(undefined, 2, 10))
    .map(([one, other, who, isSame, slowMs]) => {
      const steps = isSame ? [about(one, who), about(other, who)] : [one, other]
      return { do: 'at once', at, steps: isEither(steps) ? steps.slice(0, 1) : steps, slowMs }
    })

const about = <Request extends PersonStep | GroupStep>(step: Request, who: number): Request =>
  'who' in step ? { ...step, who } : step

function isEither([one, other]: readonly (PersonStep | GroupStep)[]): boolean {
  if (one === undefined || other === undefined || !('group' in one) || !('group' in other)) return false
  if (one.do === 'member' && other.do === 'member') return one.group === other.group && one.who === other.who
  // Names pass from one group to another.
  return one.do !== 'member' || other.do !== 'member'
}

const stepOf = (at: At): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 25, arbitrary: requestOf(at) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('by hand'),
        at,
        who,
        change: fc.constantFrom('off', 'off', 'on', 'on', 'rename', 'rename', 'remove'),
      }),
    },
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
    { weight: 2, arbitrary: killOf(at) },
    { weight: 4, arbitrary: at.chain(atOnceOf) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('time'), ms: fc.constantFrom(1_000, 10_000, 60_000, 600_000, 7_200_000) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('reconcile'), at, isRepair: fc.boolean(), isRecreate: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('operate'),
        at,
        who,
        action: fc.constantFrom('retry', 'reapply', 'hold', 'release', 'unlink', 'adopt'),
      }),
    },
  )

/** Single steps, and stories of several: about half of all steps are of either kind. */
const chapter = (at: fc.Arbitrary<HistoryConnection>): fc.Arbitrary<readonly Step[]> =>
  fc.oneof({ weight: 8, arbitrary: stepOf(at).map((one) => [one]) }, { weight: 1, arbitrary: scene(at) })

const pairs: readonly Pair[] = demoPlatforms.flatMap((one, index) =>
  demoPlatforms.slice(index + 1).map((other): Pair => [one, other]),
)

/** Everybody is there, in two groups: what follows is about memberships more often than about creates. */
const settled = (pair: Pair): readonly Step[] =>
  pair.flatMap((at): Step[] => [
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
      fc.constantFrom('deactivate', 'deactivate', 'delete'),
      fc.boolean(),
      fc.constantFrom(...pairs).chain((pair) => {
        const chapters = fc.array(chapter(fc.constantFrom(...pair)), {
          minLength: replay.isShrunk ? 1 : steps,
          maxLength: steps,
        })
        return fc.tuple(fc.constant(pair), chapters)
      }),
      (mode, deletion, isSettled, [pair, then]) =>
        runHistory([...(isSettled ? settled(pair) : []), ...then.flat().slice(0, steps)], { mode, pair, deletion }),
    ),
    replay,
    runs,
  )
}
