-- As 0001 of SQLite's credentials. Every change adds one to the version, by which other processes see that there was one.
create table token (
  id bigint generated always as identity primary key,
  connection text not null,
  name text not null,
  role text not null,
  sha256 text not null unique,
  created_at bigint not null,
  expires_at bigint,
  last_used_at bigint,
  revoked_at bigint
);
create unique index token_name on token (connection, name) where revoked_at is null;

create table signing_key (
  id bigint generated always as identity,
  kid text primary key,
  connection text not null,
  algorithm text not null,
  private_jwk text not null,
  created_at bigint not null
);
create index signing_key_connection on signing_key (connection, created_at);

create table used_assertion (
  sha256 text primary key,
  expires_at bigint not null
);
create index used_assertion_expiry on used_assertion (expires_at);

create table credential_version (
  version bigint not null
);
insert into credential_version (version) values (1);
