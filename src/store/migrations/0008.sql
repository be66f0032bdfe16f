-- When each connection may call its platform next: over restarts, and for all replicas together.
create table pace (
  connection text not null,
  next_at bigint not null,
  primary key (connection)
);
