-- A token holds the number that its user had when it was issued, and is good while the user has it still. It is the
-- revision at which all tokens of the user ended last; before, times were compared, which clocks do not bear.
ALTER TABLE user RENAME COLUMN tokens_valid_from TO token_epoch;

-- Of a user only so many are kept; then all tokens of the user end.
CREATE INDEX revoked_token_of_user ON revoked_token (user);
CREATE INDEX revoked_token_by_expiry ON revoked_token (expires);
