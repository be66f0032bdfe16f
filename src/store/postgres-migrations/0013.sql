-- Without the texts: a long one would not fit into a row of the index.
create index operation_cause on operation (connection, state, error_kind, id, created_at);
