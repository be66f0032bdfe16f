-- Who has signed in to the operator's pages, for all replicas: known by the SHA-256 of the cookie alone. `key`: the SHA-256 of the
-- operator's token, or who has signed in at the identity provider.
create table console_session (
  digest text not null,
  key text not null,
  began_at bigint not null,
  used_at bigint not null,
  primary key (digest)
);
create index console_session_began on console_session (began_at);

-- Who has gone to the identity provider to sign in, and is not back yet: the SHA-256 of the browser's cookie.
create table console_sign_in (
  digest text not null,
  began_at bigint not null,
  primary key (digest)
);
create index console_sign_in_began on console_sign_in (began_at);
