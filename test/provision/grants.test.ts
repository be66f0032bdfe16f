/** The plan of grants as a pure function: what it may take, and what survives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Grant } from '../../src/facts.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { type GrantRules, isSettled, planGrants, type WantedGrant, wantedGrants } from '../../src/provision/grants.ts'
import type { LedgerEntry, Membership } from '../../src/store/grant-store.ts'

const loaded = readMappingFile('mappings/figshare.yaml', (name) => platforms.get(name)?.facts)
const facts = platforms.get('figshare')?.facts
assert.ok(facts !== undefined)
const rules: GrantRules = { mapping: loaded.mapping, facts, groups: undefined }
const listed: GrantRules = {
  ...rules,
  mapping: { ...loaded.mapping, groups: { ...loaded.mapping.groups, manage: 'listed' } },
}

const member = (displayName: string): Membership => ({
  groupId: displayName,
  displayName,
  externalId: undefined,
  platformGroup: undefined,
})
/** Two that the mapping file names, and two that it does not. */
const pool: readonly Grant[] = [
  { group_id: 110, role_id: 49 },
  { group_id: 100, role_id: 2 },
  { group_id: 100, role_id: 7 },
  { group_id: 9, role_id: 9 },
]
const same = (one: Grant, other: Grant) => one.group_id === other.group_id && one.role_id === other.role_id
const has = (grants: readonly Grant[], grant: Grant) => grants.some((one) => same(one, grant))

const groups = fc.subarray(['figshare-reviewers', 'figshare-admins', 'everyone'])
const held = fc.subarray([...pool])
const change = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), groups }),
  fc.record({ kind: fc.constant('by hand' as const), grant: fc.constantFrom(...pool), isGiven: fc.boolean() }),
  fc.record({ kind: fc.constant('crash' as const), groups, isDone: fc.boolean() }),
)

/** What an attempt does to the account and the ledger; a crash stops it before or after the platform's write. */
function attempt(
  policy: GrantRules,
  state: { held: readonly Grant[]; ledger: readonly LedgerEntry[] },
  wanted: readonly WantedGrant[],
  stop?: { isDone: boolean },
) {
  if (isSettled(wanted, state.ledger) && policy.mapping.groups.manage === 'granted') return { ...state, take: [] }
  const plan = planGrants(policy, { wanted, ledger: state.ledger, held: state.held, ofGroups: [] })
  const written = [...state.held.filter((grant) => !has(plan.take, grant)), ...plan.give]
  if (stop !== undefined) return { held: stop.isDone ? written : state.held, ledger: plan.before, take: plan.take }
  return { held: written, ledger: plan.after, take: plan.take }
}

test('in any history, only what was given is taken, what was there before survives, and what is asked for is held', () => {
  fc.assert(
    fc.property(held, fc.array(change, { maxLength: 12 }), groups, (atFirst, changes, last) => {
      let state: { held: readonly Grant[]; ledger: readonly LedgerEntry[] } = { held: atFirst, ledger: [] }
      // What somebody gave by hand and nobody took since, while no membership gave it.
      let byHand: readonly Grant[] = atFirst
      for (const step of changes) {
        if (step.kind === 'by hand') {
          const isOurs = state.ledger.some((entry) => entry.origin !== 'found' && same(entry.grant, step.grant))
          const others = state.held.filter((grant) => !same(grant, step.grant))
          state = { ...state, held: step.isGiven ? [...others, step.grant] : others }
          byHand = byHand.filter((grant) => !same(grant, step.grant))
          if (step.isGiven && !isOurs) byHand = [...byHand, step.grant]
          continue
        }
        const wanted = wantedGrants(rules, step.groups.map(member))
        const stop = step.kind === 'crash' ? { isDone: step.isDone } : undefined
        const { take, ...next } = attempt(rules, state, wanted, stop)
        for (const grant of take) assert.ok(!has(byHand, grant), 'a grant given by hand was taken')
        state = next
      }
      const wanted = wantedGrants(rules, last.map(member))
      // Whatever came before, two attempts reach what is asked for (the ledger alone cannot know of hands).
      state = attempt(rules, { ...state, ledger: state.ledger.map((entry) => ({ ...entry })) }, wanted)
      for (const grant of byHand.filter((one) => has(atFirst, one))) assert.ok(has(state.held, grant))
      const given = state.ledger.filter((entry) => entry.origin === 'given')
      for (const { grant } of given)
        assert.ok(
          has(
            wanted.map((one) => one.grant),
            grant,
          ),
        )
    }),
    { numRuns: 1_000 },
  )
})

test('with manage: listed what the file names is ours, given by hand or not, and nothing else is', () => {
  fc.assert(
    fc.property(held, groups, (atFirst, joined) => {
      const wanted = wantedGrants(listed, joined.map(member))
      const { held: after } = attempt(listed, { held: atFirst, ledger: [] }, wanted)
      const named = pool.slice(0, 2)
      for (const grant of pool) {
        const expected = has(named, grant)
          ? has(
              wanted.map((one) => one.grant),
              grant,
            )
          : has(atFirst, grant)
        assert.equal(has(after, grant), expected)
      }
    }),
  )
})

test('what is being given is not settled: after a crash it is looked at', () => {
  const wanted = wantedGrants(rules, [member('figshare-reviewers')])
  const [first] = wanted
  assert.ok(first !== undefined)
  const entry = (origin: LedgerEntry['origin']): LedgerEntry => ({ ...first, origin })
  assert.equal(isSettled(wanted, [entry('giving')]), false)
  assert.equal(isSettled(wanted, [entry('given')]), true)
  assert.equal(isSettled(wanted, [entry('found')]), true)
  assert.equal(isSettled(wanted, []), false)
})

test('a grant that was being given when the process died counts as given, and is taken on leaving', () => {
  const wanted = wantedGrants(rules, [member('figshare-reviewers')])
  const grants = wanted.map(({ grant }) => grant)
  const before = planGrants(rules, { wanted, ledger: [], held: [], ofGroups: [] }).before
  const again = planGrants(rules, { wanted, ledger: before, held: grants, ofGroups: [] })
  assert.deepEqual([again.give, again.take, again.after.map(({ origin }) => origin)], [[], [], ['given']])
  assert.deepEqual(planGrants(rules, { wanted: [], ledger: again.after, held: grants, ofGroups: [] }).take, grants)
})

test('two groups that are the same grant: the one that stays keeps it ours', () => {
  const grant = { group: 'Editors' }
  const ledger: LedgerEntry[] = [{ key: 'group:old', grant, origin: 'given' }]
  const plan = planGrants(rules, { wanted: [{ key: 'group:new', grant }], ledger, held: [grant], ofGroups: [] })
  assert.deepEqual([plan.give, plan.take], [[], []])
  assert.deepEqual(plan.after, [{ key: 'group:new', grant, origin: 'given' }])
})
