-- What this target says, until everybody has heard it; and what it has heard.

-- +goose Up
CREATE TABLE gateway_outbox (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, not even after a row has gone
  event_id TEXT    NOT NULL UNIQUE CHECK (event_id <> ''),
  name     TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  data     BLOB    NOT NULL,
  tries    INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_at  INTEGER NOT NULL DEFAULT 0,
  dead     INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
  error    TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE gateway_inbox (
  event_id TEXT    NOT NULL PRIMARY KEY CHECK (event_id <> ''),
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
