alter table resource add column active smallint;
update resource set active = case json_type(json, '$.active') when 'true' then 1 when 'false' then 0 end
  where type = 'User' and json_valid(json);
create index resource_active on resource (connection, type, active, visible, seq);

create table secret (
  connection text not null,
  name text not null,
  value text not null,
  primary key (connection, name)
);
