-- Groups become grants: what an account was given through us, the group on the platform that a SCIM group is, and what an
-- operation is about.
alter table link add column grants text not null default '[]';

alter table operation add column about text not null default 'account'
  check (about in ('account', 'grants', 'both', 'group'));

create table group_link (
  connection text not null,
  resource_id text not null,
  state text not null check (state in ('live', 'tombstone')),
  group_id text not null,
  name text not null,
  was_created smallint not null,
  primary key (connection, resource_id)
);
create unique index group_link_group on group_link (connection, group_id) where state = 'live';
