-- Requests that were answered are found by a map in memory (state/answered.h): an index over random ids would write
-- a page of its own for each of them.
DROP INDEX answered_request;
