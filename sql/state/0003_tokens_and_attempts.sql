-- A token holds the number that its user had when it was issued, and is good while the user has it still. It is the
-- revision at which all tokens of the user ended last; before, times were compared, which clocks do not bear.
ALTER TABLE user RENAME COLUMN tokens_valid_from TO token_epoch;

-- Of a user only so many are kept; then all tokens of the user end.
CREATE INDEX revoked_token_of_user ON revoked_token (user);
CREATE INDEX revoked_token_by_expiry ON revoked_token (expires);

-- answered.subject: 64 bits of a hash of what the client sent (state/request.h); rows from before hold a CRC-32, and a
-- request that repeats one of them is refused as another under the same id.

-- Records of what changed nothing (logins, refusals) have a table and a limit of their own: they do not push out those
-- of changes. Ids are shared between the two tables; within each, records are numbered without gaps.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  message TEXT NOT NULL,
  count INTEGER NOT NULL          -- of equal ones that it stands for
) STRICT;
INSERT INTO attempt
  SELECT id, row_number() OVER (ORDER BY id), time, actor, address, request_id, action, target, outcome, message, 1
  FROM audit WHERE revision = 0;
DELETE FROM audit WHERE revision = 0;
ALTER TABLE audit ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE audit SET number = numbered.number
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM audit) AS numbered WHERE audit.id = numbered.id;
