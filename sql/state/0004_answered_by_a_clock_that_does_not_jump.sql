-- How old an outcome is tells a clock of the log's own (state/answered.h). By the commands' times, those of an hour ago
-- were forgotten when a leader's clock jumped ahead, and a request that came again was done twice.
ALTER TABLE answered ADD COLUMN clock INTEGER NOT NULL DEFAULT 0;
