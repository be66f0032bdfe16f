-- What a line tells of a person enters the chain through a salted hash, so that it can be erased and the chain still be followed.
-- Lines without them are older, and hang together as they did; only of those does `audit_erased` tell which were erased.
alter table audit add column salt text;
alter table audit add column subject_hash text;
