-- What people want to be told unasked. Whoever has never said has no row.

-- +goose Up
CREATE TABLE user_notices (
  user_id    INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  muted      TEXT    NOT NULL, -- topics that are turned off, with commas between
  quiet_from INTEGER NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439), -- minutes since midnight
  quiet_to   INTEGER NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439)    -- equal: no quiet hours
) STRICT;
