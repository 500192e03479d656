-- Which accounts at networks are whose, who wanted one that is somebody else's, and
-- which tickets for binding them are used up.

-- +goose Up
CREATE TABLE order_members (
  network TEXT    NOT NULL CHECK (network <> ''),
  tag     TEXT    NOT NULL CHECK (tag <> ''),
  user_id INTEGER NOT NULL CHECK (user_id > 0),
  at      INTEGER NOT NULL,
  PRIMARY KEY (network, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_members_user ON order_members (user_id);

CREATE TABLE order_contests (
  id      INTEGER PRIMARY KEY,
  network TEXT    NOT NULL,
  tag     TEXT    NOT NULL,
  user_id INTEGER NOT NULL CHECK (user_id > 0),
  owner   INTEGER NOT NULL CHECK (owner > 0),
  at      INTEGER NOT NULL,
  UNIQUE (network, tag, user_id)
) STRICT;
CREATE INDEX order_contests_at ON order_contests (at);

CREATE TABLE order_tickets (
  ticket   TEXT    NOT NULL PRIMARY KEY CHECK (ticket <> ''),
  until_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX order_tickets_until ON order_tickets (until_at);
