-- Links that wait for their network.

-- +goose Up
CREATE TABLE bot_waiting (
  id       INTEGER PRIMARY KEY,
  user_id  INTEGER NOT NULL CHECK (user_id > 0),
  ref_key  TEXT    NOT NULL,
  channel  TEXT    NOT NULL,
  external TEXT    NOT NULL,
  chat     TEXT    NOT NULL,
  ref      TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  next_at  INTEGER NOT NULL,
  tries    INTEGER NOT NULL,
  UNIQUE (user_id, ref_key)
) STRICT;
CREATE INDEX bot_waiting_next ON bot_waiting (next_at);
