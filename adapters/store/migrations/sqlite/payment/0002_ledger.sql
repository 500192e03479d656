-- The book. Entries are never changed or deleted, and the database itself sees
-- to that.

-- +goose Up
CREATE TABLE payment_accounts (
  id      INTEGER PRIMARY KEY,
  name    TEXT    NOT NULL UNIQUE CHECK (name <> ''),
  sign    INTEGER NOT NULL CHECK (sign IN (-1, 0, 1)), -- on which side of zero the balance stays; 0: on both
  balance INTEGER NOT NULL,
  CHECK (sign = 0 OR sign * balance >= 0)
) STRICT;

CREATE TABLE payment_entries (
  id        INTEGER PRIMARY KEY,
  entry_key TEXT    NOT NULL UNIQUE CHECK (entry_key <> ''),
  kind      TEXT    NOT NULL CHECK (kind <> ''),
  from_id   INTEGER NOT NULL,
  to_id     INTEGER NOT NULL,
  amount    INTEGER NOT NULL CHECK (amount > 0),
  cause     TEXT    NOT NULL CHECK (cause <> ''),
  note      TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  CHECK (from_id <> to_id)
) STRICT;
CREATE INDEX payment_entries_from ON payment_entries (from_id); -- and id, which ends every index
CREATE INDEX payment_entries_to ON payment_entries (to_id);
CREATE INDEX payment_entries_cause ON payment_entries (cause);

-- +goose StatementBegin
CREATE TRIGGER payment_entries_unchanged BEFORE UPDATE ON payment_entries
BEGIN
  SELECT RAISE(ABORT, 'an entry of the ledger is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_entries_kept BEFORE DELETE ON payment_entries
BEGIN
  SELECT RAISE(ABORT, 'an entry of the ledger is never deleted');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accounts_kept BEFORE DELETE ON payment_accounts
BEGIN
  SELECT RAISE(ABORT, 'an account of the ledger is never deleted');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accounts_named BEFORE UPDATE OF id, name, sign ON payment_accounts
BEGIN
  SELECT RAISE(ABORT, 'an account of the ledger is never renamed');
END;
-- +goose StatementEnd

CREATE TABLE payment_booked (
  network   TEXT    NOT NULL,
  account   TEXT    NOT NULL,
  line_no   TEXT    NOT NULL,
  seq       INTEGER NOT NULL CHECK (seq > 0),
  user_id   INTEGER NOT NULL CHECK (user_id >= 0),
  pending   INTEGER NOT NULL CHECK (pending >= 0),
  available INTEGER NOT NULL CHECK (available >= 0),
  margin    INTEGER NOT NULL,
  PRIMARY KEY (network, account, line_no)
) STRICT, WITHOUT ROWID;
