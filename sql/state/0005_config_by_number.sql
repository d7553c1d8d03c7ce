-- Releases are read in their own order too (state/feed.h), and each is named by the config that its number stands for.
CREATE UNIQUE INDEX config_by_number ON config (number);
