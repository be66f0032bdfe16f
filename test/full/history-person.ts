/** What a history knows of one person, and what it learns of them from answers. */
import type { Response } from 'supertest'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn } from '../../src/scim/attribute.ts'
import { aUser } from '../bridge-world.ts'
import {
  type Asking,
  afterRefusal,
  afterSilence,
  afterSuccess,
  afterWait,
  type Expectation,
  either,
  nobodyYet,
} from './expectation.ts'
import type { HistoryConnection } from './history.ts'

export interface Person {
  readonly user: JsonObject
  expected: Expectation
  /** Somebody switched the account by hand, and nothing was said about it since. */
  isSwitchedByHand: boolean
  /** The same before the departure that is unfinished now, which may be refused yet. */
  wasSwitchedByHand: boolean
  isRenamedByHand: boolean
  /** Somebody took the account away, and no other one has been seen since: the next change may find the user gone. */
  isRemovedByHand: boolean
}

export interface Answered {
  readonly person: Person
  /** Undefined: none. */
  readonly answer: Response | undefined
  readonly asking: Asking
}

export function newPerson(at: HistoryConnection): Person {
  return {
    // Of the institute that has the site for which a group gives a role.
    user: at === 'openspecimen' ? aUser({ [enterpriseUrn]: { organization: 'HOSP' } }) : aUser(),
    expected: nobodyYet,
    isSwitchedByHand: false,
    wasSwitchedByHand: false,
    isRenamedByHand: false,
    isRemovedByHand: false,
  }
}

export function noteRemoved(person: Person): void {
  const { may, before } = person.expected
  person.expected = { may: [...may, undefined], before }
  person.isRemovedByHand = true
  person.isSwitchedByHand = false
  person.isRenamedByHand = false
}

/** Of two requests that met nobody knows which came first, and of one that was refused whether the other one began with it. */
export function learnAll(person: Person, answers: readonly Answered[]): void {
  const [first, second] = answers
  if (first === undefined) return
  if (second === undefined) {
    learn(person, first)
    return
  }
  const orders = [
    [first, second],
    [second, first],
  ].map((order) => {
    const possible: Person = { ...person }
    for (const one of order) {
      const { expected } = possible
      learn(possible, one)
      if (isRefusal(one)) possible.expected = either(possible.expected, afterSilence(expected, one.asking))
    }
    return possible
  })
  const [one, other] = orders
  if (one === undefined || other === undefined) return
  person.expected = either(one.expected, other.expected)
  person.isSwitchedByHand = one.isSwitchedByHand || other.isSwitchedByHand
  person.wasSwitchedByHand = one.wasSwitchedByHand || other.wasSwitchedByHand
  person.isRenamedByHand = one.isRenamedByHand || other.isRenamedByHand
}

function isRefusal({ answer }: Answered): boolean {
  return answer !== undefined && answer.status >= 400 && answer.status < 429
}

/** 2xx, and "wait": it is so, or will be. Everything else changed nothing. */
function learn(person: Person, { answer, asking }: Answered): void {
  const { expected } = person
  if (answer === undefined) {
    person.expected = afterSilence(expected, asking)
    return
  }
  const { status } = answer
  if (status === 404) person.expected = nobodyYet
  else if (status === 429 || status === 500) {
    person.expected = afterWait(expected, asking)
    noteSwitch(person, expected, asking)
  } else if (status < 300) {
    person.expected = afterSuccess(expected, asking)
    noteSwitch(person, expected, asking)
    person.wasSwitchedByHand = false
    const isNewName = expected.may.every((one) => one?.familyName !== nameIn(asking))
    if (nameIn(asking) !== undefined && isNewName) person.isRenamedByHand = false
  } else {
    person.expected = afterRefusal(expected, asking)
    person.isSwitchedByHand ||= person.wasSwitchedByHand
  }
}

/** Where SCIM said the same already, nobody looks at the account. */
function noteSwitch(person: Person, { may }: Expectation, asking: Asking): void {
  if (asking.kind === 'delete' || asking.active === undefined) return
  if (!may.every((one) => one?.active === !asking.active)) return
  person.wasSwitchedByHand ||= person.isSwitchedByHand
  person.isSwitchedByHand = false
}

function nameIn(asking: Asking): string | undefined {
  return asking.kind === 'delete' ? undefined : asking.familyName
}
