-- Integrators' addresses, what is delivered to them, and how that went.

-- +goose Up
CREATE TABLE notification_hooks (
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, not even after a row has gone
  name       TEXT    NOT NULL UNIQUE CHECK (name <> ''),
  client     TEXT    NOT NULL,
  url        TEXT    NOT NULL CHECK (url <> ''),
  wants      TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('active', 'paused', 'off')),
  why        TEXT    NOT NULL,
  made_at    INTEGER NOT NULL,
  sealed     TEXT    NOT NULL CHECK (sealed <> ''),
  old_sealed TEXT    NOT NULL,
  old_until  INTEGER NOT NULL,
  fails      INTEGER NOT NULL CHECK (fails >= 0),
  failing_at INTEGER NOT NULL,
  rest_until INTEGER NOT NULL
) STRICT;

CREATE TABLE notification_hook_deliveries (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  hook_id    INTEGER NOT NULL CHECK (hook_id > 0),
  event_id   TEXT    NOT NULL CHECK (event_id <> ''),
  message_id TEXT    NOT NULL UNIQUE CHECK (message_id <> ''),
  name       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  body       BLOB    NOT NULL,
  stage      TEXT    NOT NULL CHECK (stage IN ('waiting', 'delivered', 'dead')),
  tries      INTEGER NOT NULL CHECK (tries >= 0),
  next_at    INTEGER NOT NULL,
  UNIQUE (hook_id, event_id)
) STRICT;
CREATE INDEX notification_hook_deliveries_due ON notification_hook_deliveries (hook_id, stage, next_at);
CREATE INDEX notification_hook_deliveries_at ON notification_hook_deliveries (at);

CREATE TABLE notification_hook_tries (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  delivery_id INTEGER NOT NULL CHECK (delivery_id > 0),
  at          INTEGER NOT NULL,
  status      INTEGER NOT NULL,
  took        INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  excerpt     TEXT    NOT NULL
) STRICT;
CREATE INDEX notification_hook_tries_delivery ON notification_hook_tries (delivery_id);

CREATE TABLE notification_hook_users (
  user_id     INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  client      TEXT    NOT NULL CHECK (client <> ''),
  external_id TEXT    NOT NULL
) STRICT;
