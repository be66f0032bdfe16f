create table walk (
  connection text not null,
  number bigint not null,
  purpose text not null check (purpose in ('reconcile', 'import')),
  caller text not null,
  is_repair smallint not null,
  is_recreate smallint not null,
  is_dry_run smallint not null,
  phase text not null check (phase in ('asked', 'keys', 'accounts', 'absent', 'repair', 'finished', 'failed')),
  place text,
  accounts bigint not null,
  is_short smallint not null,
  failures bigint not null,
  error text,
  due_at bigint not null,
  asked_at bigint not null,
  finished_at bigint,
  counts text not null,
  primary key (connection, number)
);

create table finding (
  connection text not null,
  walk bigint not null,
  account_id text not null,
  situation text not null,
  resource_id text,
  attributes text not null,
  other_accounts text not null,
  other_resources text not null,
  remedy text,
  done text,
  primary key (connection, walk, account_id)
);
create index finding_resource on finding (connection, walk, resource_id);
create index finding_situation on finding (connection, walk, situation, account_id);
create index finding_remedy on finding (connection, walk, account_id) where remedy is not null and done is null;

create table match_key (
  connection text not null,
  walk bigint not null,
  value_key text not null,
  resource_id text not null,
  primary key (connection, walk, value_key, resource_id)
);

create table watch (
  connection text not null,
  resource_id text not null,
  document text not null,
  next_at bigint not null,
  ends_at bigint not null,
  primary key (connection, resource_id)
);
create index watch_due on watch (connection, next_at);

create index link_tombstone on link (connection, account_id) where state = 'tombstone';
create index link_proposed on link (connection, resource_id) where state = 'proposed';
