-- A secret config is not copied to where it would stand in the clear. `content` stays last.
CREATE TABLE release_with_secret (
  id INTEGER PRIMARY KEY,
  config INTEGER NOT NULL,        -- config.number
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  format TEXT NOT NULL,
  secret INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  time INTEGER NOT NULL,
  rolled_back_from INTEGER,       -- a version
  size INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;
INSERT INTO release_with_secret
  SELECT id, config, version, revision, deleted, format, 0, md5, sha256, author, comment, time, rolled_back_from, size, content
  FROM release;
DROP TABLE release;
ALTER TABLE release_with_secret RENAME TO release;
CREATE INDEX release_of_config ON release (config, version);
