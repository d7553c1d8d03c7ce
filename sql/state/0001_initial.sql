-- The state of a node. Changed only by applying committed commands, so that every node holds the same rows.
-- Times are Unix milliseconds; keys are environment/application/cluster/name.

CREATE TABLE position (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  applied INTEGER NOT NULL,       -- Raft index of the newest command in this file
  applied_crc INTEGER NOT NULL,   -- CRC-32 of that command
  revision INTEGER NOT NULL,
  cluster_id TEXT NOT NULL
) STRICT;
INSERT INTO position VALUES (1, 0, 0, 0, '');

CREATE TABLE environment (
  name TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE application (
  name TEXT PRIMARY KEY,
  department TEXT NOT NULL,
  owner TEXT NOT NULL,
  description TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Its environment and its application exist as long as it does.
CREATE TABLE cluster (
  environment TEXT NOT NULL,
  application TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (environment, application, name)
) STRICT, WITHOUT ROWID;

-- What is newest of each config; never deleted from: a deleted config points to its tombstone.
CREATE TABLE config (
  key TEXT PRIMARY KEY,
  number INTEGER NOT NULL,        -- stands for the key in `release`
  version INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  release INTEGER NOT NULL        -- release.id
) STRICT, WITHOUT ROWID;

-- Releases and tombstones, in order of commit; the oldest versions of a config are forgotten. A tombstone has the version of the release it ends.
CREATE TABLE release (
  id INTEGER PRIMARY KEY,
  config INTEGER NOT NULL,        -- config.number
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  format TEXT NOT NULL,
  md5 TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  time INTEGER NOT NULL,
  rolled_back_from INTEGER,       -- a version
  size INTEGER NOT NULL,
  content BLOB NOT NULL           -- last, so that lists need not read through it
) STRICT;
CREATE INDEX release_of_config ON release (config, version);

CREATE TABLE draft (
  key TEXT PRIMARY KEY,
  format TEXT NOT NULL,
  base_version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  author TEXT NOT NULL,
  time INTEGER NOT NULL,
  size INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE user (
  name TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  created INTEGER NOT NULL,
  tokens_valid_from INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE role_grant (
  user TEXT NOT NULL,
  role TEXT NOT NULL,
  environment TEXT NOT NULL,      -- '' is any; so below
  application TEXT NOT NULL,
  department TEXT NOT NULL,
  PRIMARY KEY (user, role, environment, application, department)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL,
  description TEXT NOT NULL,
  application TEXT NOT NULL,
  environment TEXT NOT NULL,      -- '' is all
  addresses TEXT NOT NULL,        -- one range per line
  expires INTEGER,
  revoked INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_token (
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The oldest are forgotten; ids have no gaps.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  message TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  revision INTEGER NOT NULL
) STRICT;

-- What was answered under which request id, oldest first; sequences have no gaps.
CREATE TABLE answered (
  sequence INTEGER PRIMARY KEY,
  actor TEXT NOT NULL,
  request_id TEXT NOT NULL,
  subject INTEGER NOT NULL,       -- CRC-32 of what the request was about
  time INTEGER NOT NULL,
  outcome BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX answered_request ON answered (request_id, actor);
