-- What operators ask for, telling an alarm, and that a process has suspended its calls are claimed, too. Claims that are held stay
-- held: a table's check is not changed in place everywhere, so the rows go out and back.
create table claim_held (
  connection text not null,
  kind text not null,
  name text not null,
  holder text not null,
  claimed_until bigint not null
);
insert into claim_held (connection, kind, name, holder, claimed_until)
  select connection, kind, name, holder, claimed_until from claim;
drop table claim;
create table claim (
  connection text not null,
  kind text not null check (kind in ('link', 'account', 'walk', 'bridge', 'requests', 'alarm', 'suspension')),
  name text not null,
  holder text not null,
  claimed_until bigint not null,
  primary key (connection, kind, name)
);
insert into claim (connection, kind, name, holder, claimed_until)
  select connection, kind, name, holder, claimed_until from claim_held;
drop table claim_held;
create index claim_holder on claim (connection, holder);
create index claim_end on claim (claimed_until);
