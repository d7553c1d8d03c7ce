-- How far the archive is, as the leader reported it: what it does not have yet is not forgotten. Without one (used = 0)
-- nothing holds that up.
CREATE TABLE archived (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  used INTEGER NOT NULL,
  release INTEGER NOT NULL,       -- the newest release.id that it has
  audit INTEGER NOT NULL          -- the newest id of audit and attempt
) STRICT;
INSERT INTO archived VALUES (1, 0, 0, 0);
