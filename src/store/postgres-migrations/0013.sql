-- What identity providers sent and what they were answered, for a bounded time; and one person's lines of the audit, by index.
create table scim_request (
  connection text not null,
  id bigint not null,
  at bigint not null,
  request_id text not null,
  caller text not null,
  method text not null,
  route text not null,
  resource_id text,
  query text,
  status bigint not null,
  ms bigint not null,
  detail text,
  sent text,
  answered text,
  primary key (connection, id)
);
-- Without the texts: a long one would not fit into a row of the index.
create index operation_cause on operation (connection, state, error_kind, id, created_at);
create index audit_resource on audit (connection, resource_id, id);
