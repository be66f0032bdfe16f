import { createWalkReads } from './account-walks.ts'
import { createAlarmReads } from './alarms.ts'
import { provisioningColumns, resourceColumns } from './conditions.ts'
import type { Counters } from './counters.ts'
import { createFindingReads } from './findings.ts'
import { sql } from './kysely.ts'
import { createLists } from './lists.ts'
import { createMembershipReads } from './membership-reads.ts'
import { createOperatorReads } from './operator-requests.ts'
import { createRequestSpanReads } from './request-spans.ts'
import {
  type GroupLinkRow,
  type LinkRow,
  type OperationRow,
  type ProvisioningRow,
  type ResourceRow,
  toGroupLink,
  toLink,
  toOperation,
  toProvisioning,
  toResource,
  toUserView,
  type UserRow,
} from './rows.ts'
import type { Sealer } from './sealing.ts'
import { atMost, type Dialect, listRows, listValue, ofType, type Query, type Run, statement } from './statement.ts'
import type { ProvisioningView, StoreReader } from './store.ts'
import { createWalks } from './walks.ts'
import { createWatchReads } from './watches.ts'

export const linkColumns = sql.raw(
  'connection, resource_id, state, account_id, applied, last_applied_at, drift, was_flushed, user_name, external_id, deleted_at, invited_at, invitations, grants, ' +
    'unlinked_account_id',
)
export const operationColumns = sql.raw(
  'connection, id, resource_id, kind, about, is_deprovisioning, may_activate, before, version, state, attempts, due_at, ' +
    'error_kind, error_message, request_id, caller, created_at, lease_until, unknown_since',
)

export const groupLinkColumns = sql.raw('connection, resource_id, state, group_id, name, was_created, deleted_at')

/** All reads, for a connection that sees committed data or for one transaction. */
export function createReads(dialect: Dialect, counters: Counters): (run: Run) => StoreReader {
  const lists = createLists(dialect)
  const walk = createWalks(dialect)
  const texts = readStatements(dialect)
  const walks = createWalkReads(dialect)
  const memberships = createMembershipReads(dialect)
  const findings = createFindingReads(dialect)
  const watches = createWatchReads(dialect)
  const requests = createOperatorReads(dialect)
  const alarms = createAlarmReads(dialect)
  const requestSpans = createRequestSpanReads(dialect)
  return (run) => {
    async function one<Row, Thing>(
      query: Query<Row>,
      toThing: (sealer: Sealer, row: Row) => Thing,
    ): Promise<Thing | undefined> {
      const { rows } = await run(query)
      return rows[0] === undefined ? undefined : toThing(run.sealer, rows[0])
    }
    return {
      ...walks(run),
      ...memberships(run),
      ...findings(run),
      ...watches(run),
      ...requests(run),
      ...alarms(run),
      ...requestSpans(run),
      getResource: (connection, type, id) => one(texts.resource({ connection, type, id }), toResource),
      async getUser(connection, id) {
        const { rows } = await run(texts.user({ connection, id }))
        const [row] = rows
        if (row === undefined) return undefined
        const inGroups = row.is_member === 0 ? undefined : await this.groupsOf(connection, [id])
        return toUserView(run.sealer, connection, id, row, inGroups?.get(id) ?? [])
      },
      async list(connection, query) {
        const { rows } = await run(lists.list(run.sealer, connection, query))
        return rows.map((row) => toResource(run.sealer, row))
      },
      async listUsers(connection, query) {
        const { rows } = await run(lists.users(run.sealer, connection, query))
        const members = rows.filter((row) => row.is_member !== 0).map(({ id }) => id)
        const groups = await this.groupsOf(connection, members)
        return rows.map((row) => toUserView(run.sealer, connection, row.id, row, groups.get(row.id) ?? []))
      },
      walk: (connection, query) => walk(run, connection, query),
      async count(connection, type, where) {
        if (where === undefined) return counters.read(run, connection, `visible.${type}`)
        const { rows } = await run(lists.count(run.sealer, connection, type, where))
        return rows[0]?.count ?? 0
      },
      getLink: (connection, resourceId) => one(texts.link({ connection, resourceId }), toLink),
      getGroupLink: (connection, resourceId) => one(texts.groupLink({ connection, resourceId }), toGroupLink),
      findGroupLink: (connection, groupId) => one(texts.groupLinkByGroup({ connection, groupId }), toGroupLink),
      async groupLinks(connection) {
        const { rows } = await run(texts.groupLinks({ connection }))
        return rows.map((row) => toGroupLink(run.sealer, row))
      },
      async provisioningOf(connection, userIds) {
        if (userIds.length === 0) return new Map()
        const { rows } = await run(texts.provisioning({ connection, ids: listValue(userIds) }))
        return new Map(
          rows.map((row): [string, ProvisioningView] => [
            row.resource_id,
            toProvisioning(run.sealer, connection, row.resource_id, row),
          ]),
        )
      },
      findLinkByAccount: (connection, accountId) => one(texts.linkByAccount({ connection, accountId }), toLink),
      getOperation: (connection, resourceId) => one(texts.operation({ connection, resourceId }), toOperation),
      async operationsOf(connection, resourceIds) {
        if (resourceIds.length === 0) return []
        const { rows } = await run(texts.operations({ connection, ids: listValue(resourceIds) }))
        return rows.map((row) => toOperation(run.sealer, row))
      },
      async dueOperations(connection, now, limit) {
        // Two walks of the index, each in order and ended by its limit: one over both would pass all that is not yet due.
        const first = await run(texts.due({ connection, precedence: 0, now, limit }))
        const left = limit - first.rows.length
        if (left <= 0) return first.rows.map((row) => toOperation(run.sealer, row))
        const then = await run(texts.due({ connection, precedence: 1, now, limit: left }))
        return [...first.rows, ...then.rows].map((row) => toOperation(run.sealer, row))
      },
      countOperations: (connection) => counters.read(run, connection, 'operation.count'),
    }
  }
}

function readStatements(dialect: Dialect) {
  return {
    resource: statement(
      dialect,
      ['connection', 'type', 'id'],
      (slot) => sql<ResourceRow>`
        select ${resourceColumns} from resource
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))} and visible = 1`,
    ),
    user: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<UserRow>`
        select resource.seq, resource.version, resource.json, resource.created, resource.modified, ${provisioningColumns},
          case when exists (
            select 1 from member where member.connection = resource.connection and member.user_id = resource.id)
            then 1 else 0 end as is_member
        from resource
          left join link on link.connection = resource.connection and link.resource_id = resource.id
          left join operation on operation.connection = resource.connection and operation.resource_id = resource.id
        where resource.connection = ${slot('connection')} and resource.id = ${slot('id')}
          and resource.type = 'User' and resource.visible = 1`,
    ),
    link: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<LinkRow>`
        select ${linkColumns} from link
        where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
    ),
    groupLink: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<GroupLinkRow>`
        select ${groupLinkColumns} from group_link
        where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
    ),
    groupLinkByGroup: statement(
      dialect,
      ['connection', 'groupId'],
      (slot) => sql<GroupLinkRow>`
        select ${groupLinkColumns} from group_link
        where connection = ${slot('connection')} and group_id = ${slot('groupId')} and state = 'live'`,
    ),
    groupLinks: statement(
      dialect,
      ['connection'],
      (slot) => sql<GroupLinkRow>`
        select ${groupLinkColumns} from group_link
        where connection = ${slot('connection')} and state = 'live' order by resource_id`,
    ),
    provisioning: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<ProvisioningRow>`
        select link.resource_id, ${provisioningColumns}
        from link left join operation
          on operation.connection = link.connection and operation.resource_id = link.resource_id
        where link.connection = ${slot('connection')}
          and link.resource_id in (select value from ${listRows(slot('ids'))})`,
    ),
    linkByAccount: statement(
      dialect,
      ['connection', 'accountId'],
      (slot) => sql<LinkRow>`
        select ${linkColumns} from link
        where connection = ${slot('connection')} and account_id = ${slot('accountId')} and state <> 'tombstone'`,
    ),
    operation: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<OperationRow>`
        select ${operationColumns} from operation
        where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
    ),
    operations: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<OperationRow>`
        select ${operationColumns} from operation
        where connection = ${slot('connection')} and resource_id in (select value from ${listRows(slot('ids'))})`,
    ),
    due: statement(
      dialect,
      ['connection', 'precedence', 'now', 'limit'],
      (slot) => sql<OperationRow>`
        select ${operationColumns} from operation
        where connection = ${slot('connection')} and precedence = ${slot('precedence')} and state = 'waiting'
          and due_at <= ${slot('now')}
        order by due_at, id limit ${atMost(slot('limit'))}`,
    ),
  }
}
