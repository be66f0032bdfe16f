-- Whether values of people are sealed, and with which key. No row: they are not. The proof is a known text, sealed.
-- `next` is there while a rekeying is under way; `place` is how far it has come (JSON).
create table sealing (
  name text primary key check (name in ('current', 'next')),
  key_id text not null,
  proof text not null,
  place text
);
