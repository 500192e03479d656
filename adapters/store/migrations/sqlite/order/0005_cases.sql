-- A claim is a case: what its user said, who decided, and what was promised.
-- order_claims stays as it is until nobody runs a binary that reads it.

-- +goose Up
CREATE TABLE order_cases (
  id       INTEGER PRIMARY KEY,
  network  TEXT    NOT NULL,
  order_no TEXT    NOT NULL CHECK (order_no <> ''),
  user_id  INTEGER NOT NULL CHECK (user_id > 0),
  state    TEXT    NOT NULL CHECK (state IN ('waiting', 'iced', 'contested', 'appealed', 'granted', 'refused', 'expired')),
  rev      INTEGER NOT NULL CHECK (rev > 0),
  at       INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  next_at  INTEGER NOT NULL,
  paid     INTEGER NOT NULL CHECK (paid >= 0),
  day      TEXT    NOT NULL,
  proofs   INTEGER NOT NULL CHECK (proofs >= 0),
  appeals  INTEGER NOT NULL CHECK (appeals >= 0),
  actor    TEXT    NOT NULL,
  note     TEXT    NOT NULL,
  UNIQUE (network, order_no, user_id)
) STRICT;
CREATE INDEX order_cases_user ON order_cases (user_id, at);
CREATE INDEX order_cases_due ON order_cases (next_at) WHERE state IN ('waiting', 'iced', 'contested', 'appealed');
CREATE INDEX order_cases_staffed ON order_cases (until_at) WHERE state IN ('contested', 'appealed');

INSERT OR IGNORE INTO order_cases
SELECT id, network, order_no, user_id, state, 1, at, until_at, until_at, 0, '', 0, 0, '', '' FROM order_claims;
