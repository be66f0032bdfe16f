-- As 0003 of SQLite. No PostgreSQL store is older than this, so there are no rows to look at.
alter table resource add column active smallint;
create index resource_active on resource (connection, type, active, visible, seq);

create table secret (
  connection text not null,
  name text not null,
  value text not null,
  primary key (connection, name)
);
