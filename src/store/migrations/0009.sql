-- What one process has taken on, where several share the store: nobody else does it until the time is over. Times are the
-- database's own.
create table claim (
  connection text not null,
  kind text not null check (kind in ('link', 'account', 'walk', 'bridge')),
  name text not null,
  holder text not null,
  claimed_until bigint not null,
  primary key (connection, kind, name)
);
create index claim_holder on claim (connection, holder);
create index claim_end on claim (claimed_until);
