-- The archive: everything that was ever published and everything that was ever done, in a schema of its own. Written by
-- the leader alone, batch by batch, each in one transaction with the position; never changed afterwards. Numbers (id) are
-- those of the state, the same on all nodes.

CREATE TABLE position (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  cluster_id text NOT NULL,
  release bigint NOT NULL DEFAULT 0,         -- everything up to it is here; so below
  audit bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0,
  release_written bigint NOT NULL DEFAULT 0, -- the newest that ever was: beyond `release` while the archive is rebuilt
  audit_written bigint NOT NULL DEFAULT 0,
  written timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE environment (
  name text PRIMARY KEY,
  description text NOT NULL,
  revision bigint NOT NULL,
  created timestamptz NOT NULL
);
CREATE TABLE application (
  name text PRIMARY KEY,
  department text NOT NULL,
  owner text NOT NULL,
  description text NOT NULL,
  revision bigint NOT NULL,
  created timestamptz NOT NULL
);
CREATE TABLE cluster (
  environment text NOT NULL,
  application text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  revision bigint NOT NULL,
  created timestamptz NOT NULL,
  PRIMARY KEY (environment, application, name)
);

-- What is newest of each config; a deleted one points to its tombstone.
CREATE TABLE config (
  key text PRIMARY KEY,
  environment text NOT NULL,
  application text NOT NULL,
  cluster text NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  revision bigint NOT NULL,
  deleted boolean NOT NULL,
  release bigint NOT NULL                    -- release.id
);

-- Releases and tombstones. A tombstone has the version of the release it ends, and no content.
CREATE TABLE release (
  id bigint PRIMARY KEY,
  key text NOT NULL,
  version bigint NOT NULL,
  revision bigint NOT NULL,
  deleted boolean NOT NULL,
  format text NOT NULL,
  secret boolean NOT NULL,
  md5 text NOT NULL,
  sha256 text NOT NULL,
  author text NOT NULL,
  comment text NOT NULL,
  time timestamptz NOT NULL,
  rolled_back_from bigint,                   -- a version
  size bigint NOT NULL,
  content bytea NOT NULL                     -- convert_from(content, 'UTF8') shows it as text
);
CREATE INDEX release_of_config ON release (key, id);
CREATE INDEX release_by_time ON release USING brin (time);

-- Partitions, audit_2026_11, are made as they are needed: old ones can be detached and dropped.
CREATE TABLE audit (
  id bigint NOT NULL,
  time timestamptz NOT NULL,
  actor text NOT NULL,
  address text NOT NULL,
  request_id text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL,
  message text NOT NULL,
  before text NOT NULL,                      -- a JSON object, or ''
  after text NOT NULL,
  revision bigint NOT NULL,                  -- 0: nothing was changed
  count bigint NOT NULL,                     -- of equal attempts that it stands for
  PRIMARY KEY (id, time)
) PARTITION BY RANGE (time);
-- Of somebody who did much, or of what was done often, the rest of a question is looked for in the index alone.
CREATE INDEX audit_by_actor ON audit (actor, id, action, outcome, target text_pattern_ops);
CREATE INDEX audit_by_action ON audit (action, id, outcome, target text_pattern_ops);
CREATE INDEX audit_by_outcome ON audit (outcome, id, action, actor, target text_pattern_ops) WHERE outcome <> 'done';
CREATE INDEX audit_by_target ON audit (target text_pattern_ops, id);
CREATE INDEX audit_by_time ON audit USING brin (time);
