-- People who were switched off or deleted, for the alarm on many at once.
create table departure (
  connection text not null,
  resource_id text not null,
  at bigint not null,
  primary key (connection, resource_id)
);
create index departure_at on departure (connection, at);
