-- +goose Up
CREATE TABLE users (
  id        INTEGER PRIMARY KEY AUTOINCREMENT, -- an erased user's number goes to nobody else
  level     INTEGER NOT NULL CHECK (level >= 0),
  locale    TEXT    NOT NULL,
  joined_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_identities (
  channel  TEXT    NOT NULL CHECK (channel <> ''),
  external TEXT    NOT NULL CHECK (external <> ''),
  user_id  INTEGER NOT NULL CHECK (user_id > 0),
  used_at  INTEGER NOT NULL,
  PRIMARY KEY (channel, external)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_identities_user ON user_identities (user_id);

CREATE TABLE user_payees (
  user_id INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  sealed  TEXT    NOT NULL CHECK (sealed <> '')
) STRICT;
