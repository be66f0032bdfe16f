-- Where the audit of a connection begins since its oldest lines were erased, and lines that tell of nobody any more.
create table audit_anchor (
  connection text primary key,
  id bigint not null,
  hash text not null
);

create table audit_erased (
  connection text not null,
  id bigint not null,
  primary key (connection, id)
);

create index link_deleted on link (connection, deleted_at) where state = 'tombstone';
