-- Each way of telling goes its own course: one that is away holds up no other.
create table alarm_telling (
  connection text not null,
  kind text not null,
  way text not null,
  since bigint not null,
  detail text not null,
  is_over smallint not null,
  told bigint not null,
  failures bigint not null,
  due_at bigint not null,
  primary key (connection, kind, way)
);
insert into alarm_telling (connection, kind, way, since, detail, is_over, told, failures, due_at)
  select connection, kind, 'webhook', since, detail, is_over, told, failures, due_at from alarm;
drop table alarm;

-- In which span a request was asked, where traces are on: attempts that come later go back to it.
create table request_span (
  connection text not null,
  request_id text not null,
  span text not null,
  at text not null,
  primary key (connection, request_id)
);
create index request_span_age on request_span (connection, at);
