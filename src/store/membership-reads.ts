import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GrantReader, UnfinishedGrants } from './grant-store.ts'
import { sql } from './kysely.ts'
import type { MembershipReader } from './membership-store.ts'
import { type MembershipRow, parseLedger, toMembership } from './rows.ts'
import { atMost, type Dialect, listRows, listValue, type Run, statement } from './statement.ts'
import type { Member } from './store.ts'

/** Reading and showing a thousand takes one or two milliseconds. */
const membersAtOnce = 5_000
const operationsAtOnce = 1_000

interface LedgerRow {
  readonly resource_id: string
  readonly grants: string
}

type MembershipReads = MembershipReader & Pick<GrantReader, 'membershipsOf' | 'ledgersOf' | 'unfinishedOutside'>

/** Who is in which group, from either side. */
export function createMembershipReads(dialect: Dialect): (run: Run) => MembershipReads {
  const texts = membershipTexts(dialect)
  return (run) => {
    const shown = (connection: string, { id, display }: { id: string; display: string | null }) => ({
      id,
      display: run.sealer.open('resource.display', [connection, id], display) ?? undefined,
    })
    const ledgerOf = (connection: string, { resource_id: userId, grants }: LedgerRow) => ({
      userId,
      ledger: parseLedger(run.sealer.open('link.grants', [connection, userId], grants)),
    })
    return {
      async groupsOf(connection, userIds) {
        if (userIds.length === 0) return new Map()
        const { rows } = await run(texts.groups({ connection, ids: listValue(userIds) }))
        return listsBy(
          rows,
          (row) => row.user_id,
          (row) => shown(connection, row),
        )
      },
      async membershipsOf(connection, userIds) {
        if (userIds.length === 0) return new Map()
        const { rows } = await run(texts.memberships({ connection, ids: listValue(userIds) }))
        return listsBy(
          rows,
          (row) => row.user_id,
          (row) => toMembership(run.sealer, connection, row),
        )
      },
      async ledgersOf(connection, userIds) {
        if (userIds.length === 0) return new Map()
        const { rows } = await run(texts.ledgers({ connection, ids: listValue(userIds) }))
        const ledgers = rows.map((row) => ledgerOf(connection, row))
        return new Map(ledgers.flatMap(({ userId, ledger }) => (ledger.length === 0 ? [] : [[userId, ledger]])))
      },
      async unfinishedOutside(connection, groupId) {
        const found: UnfinishedGrants[] = []
        for (let after = ''; ; ) {
          const { rows } = await run(texts.unfinishedOutside({ connection, groupId, after, limit: operationsAtOnce }))
          for (const { resource_id, grants } of rows)
            if (grants !== null) found.push(ledgerOf(connection, { resource_id, grants }))
          if (rows.length < operationsAtOnce) return found
          after = rows.at(-1)?.resource_id ?? ''
          // During a first load everybody's are unfinished: others are answered meanwhile.
          await nextTurn()
        }
      },
      async members(connection, groupId) {
        const members: Member[] = []
        for await (const page of this.memberPages(connection, groupId)) members.push(...page)
        return members
      },
      async *memberPages(connection, groupId) {
        let after = ''
        for (let isLast = false; !isLast; ) {
          const { rows } = await run(texts.members({ connection, groupId, after, limit: membersAtOnce }))
          if (rows.length > 0) yield rows.map((row) => shown(connection, row))
          after = rows.at(-1)?.id ?? ''
          isLast = rows.length < membersAtOnce
        }
      },
      async membersOf(connection, groupIds) {
        if (groupIds.length === 0) return new Map()
        const { rows } = await run(texts.membersOf({ connection, ids: listValue(groupIds) }))
        return listsBy(
          rows,
          (row) => row.group_id,
          (row) => shown(connection, row),
        )
      },
    }
  }
}

function membershipTexts(dialect: Dialect) {
  return {
    groups: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<{ user_id: string; id: string; display: string | null }>`
        select member.user_id, resource.id, resource.display
        from member join resource on resource.connection = member.connection and resource.id = member.group_id
        where member.connection = ${slot('connection')} and resource.visible = 1
          and member.user_id in (select value from ${listRows(slot('ids'))})
        order by member.user_id, member.group_id`,
    ),
    memberships: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<MembershipRow>`
        select member.user_id, resource.id, resource.json, group_link.group_id, group_link.name
        from member join resource on resource.connection = member.connection and resource.id = member.group_id
          left join group_link on group_link.connection = member.connection and group_link.resource_id = member.group_id
            and group_link.state = 'live'
        where member.connection = ${slot('connection')} and resource.visible = 1
          and member.user_id in (select value from ${listRows(slot('ids'))})
        order by member.user_id, member.group_id`,
    ),
    ledgers: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<LedgerRow>`
        select resource_id, grants from link
        where connection = ${slot('connection')} and resource_id in (select value from ${listRows(slot('ids'))})`,
    ),
    // Whoever is inside, or waits for something else, comes without grants: each page reads as many operations as the one before.
    unfinishedOutside: statement(
      dialect,
      ['connection', 'groupId', 'after', 'limit'],
      (slot) => sql<{ resource_id: string; grants: string | null }>`
        select page.resource_id,
          case when page.about in ('grants', 'both') and not exists (
            select 1 from member
            where member.connection = ${slot('connection')} and member.group_id = ${slot('groupId')}
              and member.user_id = page.resource_id) then link.grants end as grants
        from (
          select resource_id, about from operation
          where connection = ${slot('connection')} and resource_id > ${slot('after')}
          order by resource_id limit ${atMost(slot('limit'))}) as page
          left join link on link.connection = ${slot('connection')} and link.resource_id = page.resource_id
        order by page.resource_id`,
    ),
    members: statement(
      dialect,
      ['connection', 'groupId', 'after', 'limit'],
      (slot) => sql<{ id: string; display: string | null }>`
        select resource.id, resource.display
        from member join resource on resource.connection = member.connection and resource.id = member.user_id
        where member.connection = ${slot('connection')} and member.group_id = ${slot('groupId')}
          and member.user_id > ${slot('after')}
        order by member.user_id limit ${atMost(slot('limit'))}`,
    ),
    membersOf: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<{ group_id: string; id: string; display: string | null }>`
        select member.group_id, resource.id, resource.display
        from member join resource on resource.connection = member.connection and resource.id = member.user_id
        where member.connection = ${slot('connection')}
          and member.group_id in (select value from ${listRows(slot('ids'))})
        order by member.group_id, member.user_id`,
    ),
  }
}

function listsBy<Row, Thing>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  toThing: (row: Row) => Thing,
): Map<string, Thing[]> {
  const lists = new Map<string, Thing[]>()
  for (const row of rows) {
    const list = lists.get(keyOf(row))
    if (list === undefined) lists.set(keyOf(row), [toThing(row)])
    else list.push(toThing(row))
  }
  return lists
}
