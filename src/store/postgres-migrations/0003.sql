-- JSON in PostgreSQL's words. No PostgreSQL store is older than this, so there are no rows to look at.
update resource set active = case json::json ->> 'active' when 'true' then 1 when 'false' then 0 end where type = 'User';
