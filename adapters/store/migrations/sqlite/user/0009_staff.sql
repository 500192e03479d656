-- Who is staff, as what, and by which identities they are known.

-- +goose Up
CREATE TABLE user_staff (
  id       INTEGER PRIMARY KEY,
  name     TEXT    NOT NULL CHECK (name <> ''),
  role     TEXT    NOT NULL CHECK (role IN ('owner', 'finance', 'support', 'operator', 'auditor')),
  since_at INTEGER NOT NULL,
  removed  INTEGER NOT NULL CHECK (removed IN (0, 1)) -- kept, so that no number is used again
) STRICT;

CREATE TABLE user_staff_identities (
  channel  TEXT    NOT NULL,
  external TEXT    NOT NULL,
  staff_id INTEGER NOT NULL CHECK (staff_id > 0),
  PRIMARY KEY (channel, external)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_staff_identities_staff ON user_staff_identities (staff_id);
