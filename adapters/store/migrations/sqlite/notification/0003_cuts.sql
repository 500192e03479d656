-- What has happened to inviters' parts since they were last told.

-- +goose Up
CREATE TABLE notification_cuts (
  user_id INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  given   INTEGER NOT NULL CHECK (given >= 0),
  taken   INTEGER NOT NULL CHECK (taken >= 0),
  debt    INTEGER NOT NULL CHECK (debt >= 0),
  orders  INTEGER NOT NULL CHECK (orders >= 0),
  since   INTEGER NOT NULL, -- of the first; 0: they were told everything
  told_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notification_cuts_since ON notification_cuts (since);
