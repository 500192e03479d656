-- +goose Up
CREATE TABLE notification_messages (
  id          INTEGER PRIMARY KEY,
  message_key TEXT    NOT NULL UNIQUE CHECK (message_key <> ''),
  user_id     INTEGER NOT NULL CHECK (user_id > 0),
  kind        TEXT    NOT NULL,
  data        BLOB    NOT NULL,
  at          INTEGER NOT NULL,
  tries       INTEGER NOT NULL CHECK (tries >= 0),
  state       TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
  next_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX notification_messages_waiting ON notification_messages (user_id) WHERE state = 'waiting';
