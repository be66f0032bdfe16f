-- When a group was deleted: what is left of it is kept as long as what is left of a user. Those deleted before get their date from
-- the audit (group-tombstones.ts).
alter table group_link add column deleted_at text;
create index group_link_deleted on group_link (connection, deleted_at) where state = 'tombstone';
