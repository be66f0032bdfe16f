/**
 * What random steps alone meet too seldom: several things that happen to one person in a row. Each scene is a short story with
 * random parts; what comes of it is the model's to say.
 */
import fc from 'fast-check'
import type { FaultStep, HistoryConnection, Step } from './history.ts'
import { type GroupStep, groups } from './history-groups.ts'
import { type PersonStep, people } from './history-people.ts'

interface Focus {
  readonly at: HistoryConnection
  readonly who: number
  readonly group: number
}

type Part = (focus: Focus) => Step
type Request = (focus: Focus) => PersonStep | GroupStep
const part = (weight: number, ...parts: Part[]) => ({ weight, arbitrary: fc.constantFrom(...parts) })

const off: Request = ({ at, who }) => ({ do: 'switch', at, who, active: false })
const on: Request = ({ at, who }) => ({ do: 'switch', at, who, active: true })
const removal: Request = ({ at, who }) => ({ do: 'delete', at, who })
const edit: Request = ({ at, who }) => ({ do: 'patch', at, who, familyName: 'Kovalevskaya' })
const editAndOff: Request = ({ at, who }) => ({ do: 'put', at, who, familyName: 'Noether', active: false })
const plainPut: Request = ({ at, who }) => ({ do: 'put', at, who, familyName: 'Germain', active: undefined })
const again: Request = ({ at, who }) => ({ do: 'create', at, who, active: true })
const join: Request = ({ at, who, group }) => ({ do: 'member', at, who, group, isAdded: true })
const leave: Request = ({ at, who, group }) => ({ do: 'member', at, who, group, isAdded: false })
const renaming: Request = ({ at, group }) => ({ do: 'rename group', at, group, name: group })
const ending: Request = ({ at, group }) => ({ do: 'delete group', at, group })
const walk: Part = ({ at }) => ({ do: 'reconcile', at, isRepair: false, isRecreate: false })
const repair: Part = ({ at }) => ({ do: 'reconcile', at, isRepair: true, isRecreate: false })
const retry: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'retry' })
const reapply: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'reapply' })
const hold: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'hold' })
const release: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'release' })
const letGo: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'unlink' })
const adopt: Part = ({ at, who }) => ({ do: 'operate', at, who, action: 'adopt' })
const recreate: Part = ({ at }) => ({ do: 'reconcile', at, isRepair: true, isRecreate: true })
const onByHand: Part = ({ at, who }) => ({ do: 'by hand', at, who, change: 'on' })
const offByHand: Part = ({ at, who }) => ({ do: 'by hand', at, who, change: 'off' })
const removedByHand: Part = ({ at, who }) => ({ do: 'by hand', at, who, change: 'remove' })
const renamedByHand: Part = ({ at, who }) => ({ do: 'by hand', at, who, change: 'rename' })
const aMinute: Part = () => ({ do: 'time', ms: 60_000 })
const anHour: Part = () => ({ do: 'time', ms: 3_600_000 })
const restart: Part = () => ({ do: 'restart' })
const killed =
  (during: Request, calls: number, isDone: boolean): Part =>
  (focus) => ({ do: 'kill', at: focus.at, during: during(focus), calls, isDone })

const faultNamed =
  (mode: FaultStep['mode'], only: FaultStep['only'], skip = 0): Part =>
  ({ at }) => ({ do: 'fault', at, mode, only, skip })
const well = faultNamed('ok', undefined)
const away = fc.constantFrom(
  faultNamed('down', undefined),
  faultNamed('down', 'writes'),
  faultNamed('429', 'writes'),
  faultNamed('500', 'writes'),
  faultNamed('500-after', 'writes'),
  faultNamed('lost', undefined),
)
const refusing = fc.constantFrom(
  faultNamed('refused', 'writes'),
  faultNamed('refused', 'writes', 1),
  faultNamed('unprocessable', 'writes'),
)

const departure = fc.oneof(part(3, off), part(2, removal), part(1, editAndOff))
const request = fc.oneof(
  part(4, off),
  part(4, removal),
  part(2, edit, editAndOff, plainPut),
  part(1, on, again),
  part(3, join, leave),
  part(1, renaming, ending),
)
const kill: fc.Arbitrary<Part> = fc
  .tuple(fc.constantFrom(off, removal, edit, on, again, join, leave, ending), fc.nat({ max: 5 }), fc.boolean())
  .map(([during, calls, isDone]) => killed(during, calls, isDone))
const between = fc.oneof(
  { weight: 2, arbitrary: kill },
  part(3, aMinute),
  part(1, anHour),
  part(1, restart),
  part(2, retry, reapply),
  part(1, walk),
)
const order = fc.oneof(part(3, walk), part(2, repair), part(2, reapply))
const byHand = fc.oneof(part(3, onByHand), part(1, offByHand), part(1, renamedByHand))

const some = (arbitrary: fc.Arbitrary<Part>, minLength: number, maxLength: number) =>
  fc.array(arbitrary, { minLength, maxLength })

const stories: fc.Arbitrary<readonly Part[]> = fc.oneof(
  // Something is kept while the platform is away; then the platform answers, and refuses.
  {
    weight: 4,
    arbitrary: fc
      .tuple(away, some(request, 1, 2), some(between, 0, 1), refusing, some(request, 1, 2), some(between, 0, 1))
      .map(([first, kept, pause, second, then, rest]) => [first, ...kept, ...pause, second, ...then, ...rest, well]),
  },
  // Somebody works past the bridge, an operator has it mended, the platform refuses that, and then it is asked for, too.
  {
    weight: 2,
    arbitrary: fc
      .tuple(some(departure, 0, 1), byHand, fc.oneof(refusing, away), order, some(request, 1, 2))
      .map(([left, hand, fault, mended, then]) => [...left, hand, fault, mended, ...then, well]),
  },
  // Whoever operates the bridge stops it for somebody, and lets it go on.
  {
    weight: 1,
    arbitrary: fc
      .tuple(away, departure, fc.oneof(part(1, well), refusing), some(request, 1, 2), some(between, 0, 1))
      .map(([first, left, second, then, rest]) => [first, left, hold, second, ...then, ...rest, release, well]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(some(request, 0, 1), fc.oneof(part(1, well), refusing, away), some(request, 1, 2), some(between, 0, 1))
      .map(([before, fault, then, rest]) => [...before, letGo, fault, ...then, ...rest, adopt, well]),
  },
  // An account is gone.
  {
    weight: 1,
    arbitrary: fc
      .tuple(some(request, 0, 1), fc.oneof(part(1, well), refusing, away), some(request, 0, 2), some(between, 0, 1))
      .map(([before, fault, then, rest]) => [...before, removedByHand, fault, ...then, recreate, ...rest, well]),
  },
  // A member's departure and a change of the group meet.
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(join, leave), away, departure, fc.constantFrom(join, leave, ending), refusing, departure)
      .map(([before, first, left, change, second, then]) => [before, first, left, change, second, then, well, change]),
  },
)

export function scene(at: fc.Arbitrary<HistoryConnection>): fc.Arbitrary<readonly Step[]> {
  const focus = fc.record({ at, who: fc.nat({ max: people - 1 }), group: fc.nat({ max: groups - 1 }) })
  return fc.tuple(focus, stories).map(([focus, story]) => story.map((step) => step(focus)))
}
