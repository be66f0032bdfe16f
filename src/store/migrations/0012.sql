-- An account that an operator has let go: the bridge writes it no more, and nobody's link holds it.
alter table link add column unlinked_account_id text;

-- What operators ask of the process that holds the store, and what became of it. `detail` is JSON: names and choices.
create table operator_request (
  connection text not null,
  number bigint not null,
  action text not null,
  operator text not null,
  why text not null,
  resource_id text,
  detail text not null,
  phase text not null check (phase in ('asked', 'running', 'done', 'refused')),
  place bigint,
  affected bigint not null,
  total bigint,
  answer text,
  asked_at bigint not null,
  finished_at bigint,
  primary key (connection, number)
);
create index operator_request_open on operator_request (connection, number) where phase in ('asked', 'running');

create index operation_stopped on operation (connection, id) where state in ('failed', 'held');
create index operation_error on operation (connection, error_kind) where error_kind is not null;

-- Conditions that operators are told of, while they last and until their end was told.
create table alarm (
  connection text not null,
  kind text not null,
  since bigint not null,
  detail text not null,
  is_over smallint not null,
  told bigint not null,
  failures bigint not null,
  due_at bigint not null,
  primary key (connection, kind)
);
