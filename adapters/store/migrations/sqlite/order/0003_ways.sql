-- What the ladder climbs: links, confirmed buyers and claims.

-- +goose Up
CREATE TABLE order_ways (
  link_id INTEGER NOT NULL PRIMARY KEY,
  user_id INTEGER NOT NULL CHECK (user_id > 0),
  network TEXT    NOT NULL,
  item    TEXT    NOT NULL,
  tag     TEXT    NOT NULL UNIQUE CHECK (tag <> ''),
  slot    TEXT    NOT NULL,
  promise TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX order_ways_item ON order_ways (network, item, at);

CREATE TABLE order_suffixes (
  network TEXT    NOT NULL,
  suffix  TEXT    NOT NULL CHECK (suffix <> ''),
  user_id INTEGER NOT NULL CHECK (user_id > 0),
  PRIMARY KEY (network, suffix, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_claims (
  id       INTEGER PRIMARY KEY,
  network  TEXT    NOT NULL,
  order_no TEXT    NOT NULL CHECK (order_no <> ''),
  user_id  INTEGER NOT NULL CHECK (user_id > 0),
  state    TEXT    NOT NULL CHECK (state IN ('waiting', 'granted')),
  at       INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  UNIQUE (network, order_no, user_id)
) STRICT;
CREATE INDEX order_claims_user ON order_claims (user_id, at);
