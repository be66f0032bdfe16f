CREATE TABLE alarm_telling (
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

CREATE TABLE audit (
  connection text not null,
  id bigint not null,
  at text not null,
  event text not null check (event in ('asked', 'calling', 'outcome')),
  request_id text not null,
  caller text not null,
  resource_id text,
  operation_id bigint,
  account_id text,
  detail text not null,
  hash text not null, salt text, subject_hash text,
  primary key (connection, id)
);

CREATE INDEX audit_resource on audit (connection, resource_id, id);

CREATE TABLE audit_anchor (
  connection text primary key,
  id bigint not null,
  hash text not null
);

CREATE TABLE audit_erased (
  connection text not null,
  id bigint not null,
  primary key (connection, id)
);

CREATE TABLE claim (
  connection text not null,
  kind text not null check (kind in ('link', 'account', 'walk', 'bridge', 'requests', 'alarm', 'suspension')),
  name text not null,
  holder text not null,
  claimed_until bigint not null,
  primary key (connection, kind, name)
);

CREATE INDEX claim_end on claim (claimed_until);

CREATE INDEX claim_holder on claim (connection, holder);

CREATE TABLE console_session (
  digest text not null,
  key text not null,
  began_at bigint not null,
  used_at bigint not null,
  primary key (digest)
);

CREATE INDEX console_session_began on console_session (began_at);

CREATE TABLE console_sign_in (
  digest text not null,
  began_at bigint not null,
  primary key (digest)
);

CREATE INDEX console_sign_in_began on console_sign_in (began_at);

CREATE TABLE counter (
  connection text not null,
  name text not null,
  value bigint not null,
  primary key (connection, name)
);

CREATE TABLE departure (
  connection text not null,
  resource_id text not null,
  at bigint not null,
  primary key (connection, resource_id)
);

CREATE INDEX departure_at on departure (connection, at);

CREATE TABLE email_value (
  connection text not null,
  resource_id text not null,
  value_key text not null,
  email_type text not null,
  primary key (connection, value_key, email_type, resource_id),
  foreign key (connection, resource_id) references resource (connection, id) on delete cascade
);

CREATE INDEX email_value_resource on email_value (connection, resource_id, value_key, email_type);

CREATE TABLE finding (
  connection text not null,
  walk bigint not null,
  account_id text not null,
  situation text not null,
  resource_id text,
  attributes text not null,
  other_accounts text not null,
  other_resources text not null,
  remedy text,
  done text,
  primary key (connection, walk, account_id)
);

CREATE INDEX finding_remedy on finding (connection, walk, account_id) where remedy is not null and done is null;

CREATE INDEX finding_resource on finding (connection, walk, resource_id);

CREATE INDEX finding_situation on finding (connection, walk, situation, account_id);

CREATE TABLE group_link (
  connection text not null,
  resource_id text not null,
  state text not null check (state in ('live', 'tombstone')),
  group_id text not null,
  name text not null,
  was_created smallint not null, deleted_at text,
  primary key (connection, resource_id)
);

CREATE INDEX group_link_deleted on group_link (connection, deleted_at) where state = 'tombstone';

CREATE UNIQUE INDEX group_link_group on group_link (connection, group_id) where state = 'live';

CREATE TABLE lease (
  name text primary key,
  token text not null,
  pid bigint not null,
  process_start text not null,
  host text not null,
  since bigint not null,
  renewed_at bigint not null
);

CREATE TABLE link (
  connection text not null,
  resource_id text not null,
  state text not null check (state in ('proposed', 'live', 'tombstone')),
  account_id text,
  applied text,
  last_applied_at text,
  drift text not null,
  was_flushed smallint not null,
  user_name text,
  external_id text,
  deleted_at text,
  invited_at text,
  invitations bigint not null, grants text not null default '[]', unlinked_account_id text,
  primary key (connection, resource_id)
);

CREATE UNIQUE INDEX link_account on link (connection, account_id) where state <> 'tombstone';

CREATE INDEX link_deleted on link (connection, deleted_at) where state = 'tombstone';

CREATE INDEX link_proposed on link (connection, resource_id) where state = 'proposed';

CREATE INDEX link_tombstone on link (connection, account_id) where state = 'tombstone';

CREATE TABLE match_key (
  connection text not null,
  walk bigint not null,
  value_key text not null,
  resource_id text not null,
  primary key (connection, walk, value_key, resource_id)
);

CREATE TABLE member (
  connection text not null,
  group_id text not null,
  user_id text not null,
  primary key (connection, group_id, user_id),
  foreign key (connection, group_id) references resource (connection, id) on delete cascade,
  foreign key (connection, user_id) references resource (connection, id) on delete cascade
);

CREATE INDEX member_user on member (connection, user_id, group_id);

CREATE TABLE migration (number bigint primary key, at bigint not null);

CREATE TABLE operation (
  connection text not null,
  id bigint not null,
  resource_id text not null,
  kind text not null check (kind in ('create', 'update', 'delete')),
  is_deprovisioning smallint not null,
  may_activate smallint not null,
  before text,
  version bigint not null,
  state text not null check (state in ('waiting', 'running', 'failed', 'held')),
  attempts bigint not null,
  due_at bigint not null,
  error_kind text,
  error_message text,
  request_id text not null,
  caller text not null,
  created_at text not null,
  lease_until bigint,
  unknown_since bigint,
  precedence smallint not null, about text not null default 'account'
  check (about in ('account', 'grants', 'both', 'group')),
  primary key (connection, id)
);

CREATE INDEX operation_cause on operation (connection, state, error_kind, error_message, id, created_at);

CREATE INDEX operation_due on operation (connection, precedence, due_at, id) where state = 'waiting';

CREATE INDEX operation_error on operation (connection, error_kind) where error_kind is not null;

CREATE UNIQUE INDEX operation_link on operation (connection, resource_id);

CREATE INDEX operation_stopped on operation (connection, id) where state in ('failed', 'held');

CREATE TABLE operator_request (
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

CREATE INDEX operator_request_open on operator_request (connection, number) where phase in ('asked', 'running');

CREATE TABLE pace (
  connection text not null,
  next_at bigint not null,
  primary key (connection)
);

CREATE TABLE request_span (
  connection text not null,
  request_id text not null,
  span text not null,
  at text not null,
  primary key (connection, request_id)
);

CREATE INDEX request_span_age on request_span (connection, at);

CREATE TABLE resource (
  connection text not null,
  id text not null,
  type text not null check (type in ('User', 'Group')),
  seq bigint not null,
  version bigint not null,
  visible smallint not null,
  json text not null,
  user_name_key text,
  display_key text,
  external_id text,
  display text,
  created text not null,
  modified text not null, active smallint,
  primary key (connection, id)
);

CREATE INDEX resource_active on resource (connection, type, active, visible, seq);

CREATE INDEX resource_created on resource (connection, type, created, seq);

CREATE INDEX resource_display on resource (connection, type, display_key, seq);

CREATE INDEX resource_external_id on resource (connection, type, external_id, seq);

CREATE UNIQUE INDEX resource_group_name on resource (connection, display_key) where type = 'Group';

CREATE INDEX resource_modified on resource (connection, type, modified, seq);

CREATE INDEX resource_seq on resource (connection, type, visible, seq);

CREATE UNIQUE INDEX resource_user_name on resource (connection, type, user_name_key);

CREATE TABLE scim_request (
  connection text not null,
  id bigint not null,
  at bigint not null,
  request_id text not null,
  caller text not null,
  method text not null,
  route text not null,
  resource_id text,
  query text,
  status bigint not null,
  ms bigint not null,
  detail text,
  sent text,
  answered text,
  primary key (connection, id)
);

CREATE TABLE sealing (
  name text primary key check (name in ('current', 'next')),
  key_id text not null,
  proof text not null,
  place text
);

CREATE TABLE secret (
  connection text not null,
  name text not null,
  value text not null,
  primary key (connection, name)
);

CREATE TABLE walk (
  connection text not null,
  number bigint not null,
  purpose text not null check (purpose in ('reconcile', 'import')),
  caller text not null,
  is_repair smallint not null,
  is_recreate smallint not null,
  is_dry_run smallint not null,
  phase text not null check (phase in ('asked', 'keys', 'accounts', 'absent', 'repair', 'finished', 'failed')),
  place text,
  accounts bigint not null,
  is_short smallint not null,
  failures bigint not null,
  error text,
  due_at bigint not null,
  asked_at bigint not null,
  finished_at bigint,
  counts text not null,
  primary key (connection, number)
);

CREATE TABLE watch (
  connection text not null,
  resource_id text not null,
  document text not null,
  next_at bigint not null,
  ends_at bigint not null,
  primary key (connection, resource_id)
);

CREATE INDEX watch_due on watch (connection, next_at);
