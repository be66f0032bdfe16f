/** What the identity provider was told of one person, and what may therefore be true of them. Pure. */
import assert from 'node:assert/strict'

/** What SCIM shows of somebody; undefined: nobody is shown. */
export type Shown =
  | {
      /** Undefined: nobody has said it, and the account that is found decides. */
      readonly active: boolean | undefined
      readonly familyName: string
      readonly userName: string
    }
  | undefined

/** `create`: of somebody whom nobody sees yet; it begins anew. Undefined members are not spoken of. */
export type Asking =
  | {
      readonly kind: 'create'
      readonly active: boolean | undefined
      readonly familyName: string
      readonly userName: string
    }
  | {
      readonly kind: 'change'
      readonly active: boolean | undefined
      readonly familyName: string | undefined
      readonly userName: string | undefined
    }
  | { readonly kind: 'delete' }

export interface Expectation {
  /** One of these is shown when nothing is unfinished. */
  readonly may: readonly Shown[]
  /** Where a refusal leads that is told to whoever repeats the unfinished departure: nothing else goes back there. */
  readonly before: { readonly off: readonly Shown[]; readonly deletion: readonly Shown[] }
}

export const nobodyYet: Expectation = { may: [undefined], before: { off: [], deletion: [] } }

/** 2xx: it is so. */
export function afterSuccess({ may }: Expectation, asking: Asking): Expectation {
  return { may: asked(may, asking), before: nobodyYet.before }
}

/**
 * "Wait": a departure is made whatever comes, unless it is repeated and refused, or taken back. Everything else may be refused
 * when nobody waits for the answer any more, and then it is as before.
 */
export function afterWait({ may, before }: Expectation, asking: Asking): Expectation {
  const then = asked(may, asking)
  if (asking.kind === 'delete') return { may: then, before: { ...before, deletion: [...before.deletion, ...may] } }
  if (asking.active === false) {
    // What it says besides is not kept where a deletion takes its place and is refused.
    const isOff = may.filter((one) => one?.active === false)
    return { may: [...then, ...isOff], before: { ...before, off: [...before.off, ...may] } }
  }
  return { may: [...then, ...may], before }
}

/** No answer: what was asked was kept, or nobody knows of it. */
export function afterSilence(expectation: Expectation, asking: Asking): Expectation {
  const { may, before } = afterWait(expectation, asking)
  return { may: [...may, ...expectation.may], before }
}

/** A final answer: nothing was changed, and what had not been confirmed may have been taken back. */
export function afterRefusal({ may, before }: Expectation, asking: Asking): Expectation {
  if (asking.kind === 'delete')
    // Who was to be off before the deletion was asked for is to be off still.
    return { may: before.deletion.length > 0 ? before.deletion : may, before: { ...before, deletion: [] } }
  const isDeparture = asking.kind === 'create' || asking.active === false
  return { may: isDeparture ? [...may, ...before.off] : may, before }
}

/** Nobody knows which of the two it is. */
export function either(one: Expectation, other: Expectation): Expectation {
  return {
    may: [...one.may, ...other.may],
    before: {
      off: [...one.before.off, ...other.before.off],
      deletion: [...one.before.deletion, ...other.before.deletion],
    },
  }
}

/** Nothing is unfinished: what is shown has to be something that was told, and only that counts from now on. */
export function settled({ may }: Expectation, shown: Shown, what: string): Expectation {
  assert.ok(
    may.some((one) => fits(one, shown)),
    `${what} was told ${JSON.stringify(may)}, and SCIM shows ${JSON.stringify(shown) ?? 'nobody'}`,
  )
  return { may: [shown], before: nobodyYet.before }
}

function asked(may: readonly Shown[], asking: Asking): readonly Shown[] {
  if (asking.kind === 'delete') return [undefined]
  if (asking.kind === 'create') {
    const { kind: _, ...created } = asking
    return [created]
  }
  const { active, familyName, userName } = asking
  return may.map(
    (one) =>
      one && {
        active: active ?? one.active,
        familyName: familyName ?? one.familyName,
        userName: userName ?? one.userName,
      },
  )
}

function fits(told: Shown, shown: Shown): boolean {
  if (told === undefined || shown === undefined) return told === shown
  const isNamed = told.familyName === shown.familyName && told.userName === shown.userName
  return isNamed && (told.active === undefined || told.active === shown.active)
}
