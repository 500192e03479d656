-- +goose Up
CREATE TABLE rebate_rules (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  body    TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT;

CREATE TABLE rebates (
  id         INTEGER PRIMARY KEY,
  network    TEXT    NOT NULL,
  account    TEXT    NOT NULL,
  line_no    TEXT    NOT NULL,
  line       TEXT    NOT NULL, -- as it was when the rebate was computed
  seq        INTEGER NOT NULL CHECK (seq >= 0),
  user_id    INTEGER NOT NULL CHECK (user_id >= 0),
  stage      TEXT    NOT NULL CHECK (stage IN ('nothing', 'pending', 'available')),
  amount     INTEGER NOT NULL CHECK (amount >= 0),
  margin     INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  trace      TEXT    NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (network, account, line_no)
) STRICT;
CREATE INDEX rebates_due ON rebates (due_at) WHERE stage = 'pending' AND due_at > 0;
