import { sql } from './kysely.ts'
import { type Dialect, listRows, listValue, listValues, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

type MembershipWrites = Pick<
  StoreWriter,
  'unknownUsers' | 'addMembers' | 'removeMembers' | 'removeAllMembers' | 'replaceMembers'
>
interface UserRow {
  readonly user_id: string
}

/** Members of groups. Cost depends on what changes, not on the size of the group; a whole list costs one pass over it. */
export function createMembershipWrites(dialect: Dialect): (run: Run) => MembershipWrites {
  const texts = membershipStatements(dialect)
  return (run) => {
    async function ids(query: ReturnType<typeof texts.removeAll>): Promise<readonly string[]> {
      const { rows } = await run(query)
      return rows.map((row) => row.user_id)
    }
    async function change(text: typeof texts.add, connection: string, groupId: string, userIds: readonly string[]) {
      const changed: string[] = []
      for (const users of listValues(userIds)) changed.push(...(await ids(text({ connection, groupId, users }))))
      return changed
    }
    return {
      unknownUsers: async (connection, userIds) =>
        userIds.length === 0 ? [] : ids(texts.unknown({ connection, users: listValue(userIds) })),
      addMembers: (connection, groupId, userIds) => change(texts.add, connection, groupId, userIds),
      removeMembers: (connection, groupId, userIds) => change(texts.remove, connection, groupId, userIds),
      removeAllMembers: (connection, groupId) => ids(texts.removeAll({ connection, groupId })),
      async replaceMembers(connection, groupId, userIds) {
        const removed = await ids(texts.removeOthers({ connection, groupId, users: listValue(userIds) }))
        return { added: await change(texts.add, connection, groupId, userIds), removed }
      },
    }
  }
}

function membershipStatements(dialect: Dialect) {
  return {
    unknown: statement(
      dialect,
      ['connection', 'users'],
      (slot) => sql<UserRow>`
        select distinct listed.value as user_id from ${listRows(slot('users'))} as listed
        where not exists (
          select 1 from resource
          where connection = ${slot('connection')} and id = listed.value and type = 'User' and visible = 1)`,
    ),
    // SQLite takes `on` after a joined table for a join's, hence the `where`.
    add: statement(
      dialect,
      ['connection', 'groupId', 'users'],
      (slot) => sql<UserRow>`
        insert into member (connection, group_id, user_id)
        select ${slot('connection')}, ${slot('groupId')}, value from ${listRows(slot('users'))} where true
        on conflict (connection, group_id, user_id) do nothing
        returning user_id`,
    ),
    remove: statement(
      dialect,
      ['connection', 'groupId', 'users'],
      (slot) => sql<UserRow>`
        delete from member where connection = ${slot('connection')} and group_id = ${slot('groupId')}
          and user_id in (select value from ${listRows(slot('users'))})
        returning user_id`,
    ),
    removeOthers: statement(
      dialect,
      ['connection', 'groupId', 'users'],
      (slot) => sql<UserRow>`
        delete from member where connection = ${slot('connection')} and group_id = ${slot('groupId')}
          and user_id not in (select value from ${listRows(slot('users'))})
        returning user_id`,
    ),
    removeAll: statement(
      dialect,
      ['connection', 'groupId'],
      (slot) => sql<UserRow>`
        delete from member where connection = ${slot('connection')} and group_id = ${slot('groupId')}
        returning user_id`,
    ),
  }
}
