-- What people send us and what they are sent, until both are seen to.

-- +goose Up
CREATE TABLE bot_letters (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  channel   TEXT    NOT NULL CHECK (channel <> ''),
  letter_id TEXT    NOT NULL CHECK (letter_id <> ''),
  chat      TEXT    NOT NULL,
  payload   BLOB    NOT NULL, -- sealed; empty once it is done
  at        INTEGER NOT NULL,
  state     TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'given_up')),
  live      INTEGER NOT NULL CHECK (live IN (0, 1)), -- it waits
  tries     INTEGER NOT NULL CHECK (tries >= 0),
  reason    TEXT    NOT NULL,
  ended_at  INTEGER NOT NULL,
  UNIQUE (channel, letter_id)
) STRICT;
CREATE INDEX bot_letters_chat ON bot_letters (channel, chat, live, seq);
CREATE INDEX bot_letters_state ON bot_letters (live, state, ended_at);

CREATE TABLE bot_parcels (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  parcel_key TEXT    NOT NULL UNIQUE CHECK (parcel_key <> ''),
  channel    TEXT    NOT NULL CHECK (channel <> ''),
  chat       TEXT    NOT NULL,
  external   TEXT    NOT NULL,
  body       BLOB    NOT NULL, -- sealed; empty once it is sent
  quiet      INTEGER NOT NULL CHECK (quiet IN (0, 1)),
  at         INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'moved', 'gone', 'given_up', 'unknown')),
  live       INTEGER NOT NULL CHECK (live IN (0, 1)), -- it waits or is being sent
  parts      INTEGER NOT NULL CHECK (parts >= 0),
  doubt      INTEGER NOT NULL CHECK (doubt IN (0, 1)),
  note       TEXT    NOT NULL,
  tries      INTEGER NOT NULL CHECK (tries >= 0),
  reason     TEXT    NOT NULL,
  ended_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX bot_parcels_chat ON bot_parcels (channel, chat, live, seq);
CREATE INDEX bot_parcels_state ON bot_parcels (live, state, ended_at);

-- A lane is one side of a chat: who works on it, and when it is due.
CREATE TABLE bot_lanes (
  side     TEXT    NOT NULL CHECK (side IN ('in', 'out')),
  channel  TEXT    NOT NULL,
  chat     TEXT    NOT NULL,
  due_at   INTEGER NOT NULL, -- 0: nothing waits
  turns    INTEGER NOT NULL, -- that it has had since something waits
  quiet    INTEGER NOT NULL CHECK (quiet IN (0, 1)), -- nobody waits for anything that waits
  parked   INTEGER NOT NULL CHECK (parked IN (0, 1)), -- until the person writes, or due_at
  warned   INTEGER NOT NULL CHECK (warned IN (0, 1)), -- the person knows that too much waits
  holder   TEXT    NOT NULL, -- '': nobody
  until_at INTEGER NOT NULL,
  PRIMARY KEY (side, channel, chat)
) STRICT, WITHOUT ROWID;
CREATE INDEX bot_lanes_due ON bot_lanes (side, channel, quiet, due_at, turns);
CREATE INDEX bot_lanes_holder ON bot_lanes (holder, due_at);
