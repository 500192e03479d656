-- Levels that users have for a while, each because of one payment.

-- +goose Up
CREATE TABLE user_grants (
  cause    TEXT    NOT NULL PRIMARY KEY CHECK (cause <> ''),
  user_id  INTEGER NOT NULL CHECK (user_id > 0),
  level    INTEGER NOT NULL CHECK (level > 0),
  from_at  INTEGER NOT NULL,
  until_at INTEGER NOT NULL CHECK (until_at >= from_at),
  revoked  INTEGER NOT NULL CHECK (revoked IN (0, 1)),
  told     INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX user_grants_user ON user_grants (user_id);
CREATE INDEX user_grants_end ON user_grants (told, until_at);
