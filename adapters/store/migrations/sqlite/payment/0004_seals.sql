-- What makes an edit of history show: a digest of every batch of entries, a chain
-- of seals over the batches, and a mark on what is booked and withdrawn.

-- +goose Up
CREATE TABLE payment_batches (
  id      INTEGER PRIMARY KEY,
  entries INTEGER NOT NULL CHECK (entries > 0),
  digest  TEXT    NOT NULL CHECK (digest <> ''),
  at      INTEGER NOT NULL
) STRICT;

ALTER TABLE payment_entries ADD COLUMN batch_id INTEGER NOT NULL DEFAULT 0; -- 0: from before there were batches

CREATE TABLE payment_seals (
  id         INTEGER NOT NULL PRIMARY KEY, -- from 1 without gaps; not given by the database
  day        TEXT    NOT NULL,
  last_batch INTEGER NOT NULL,
  batches    INTEGER NOT NULL CHECK (batches > 0),
  entries    INTEGER NOT NULL CHECK (entries > 0),
  prev       TEXT    NOT NULL,
  hash       TEXT    NOT NULL UNIQUE,
  at         INTEGER NOT NULL
) STRICT;

ALTER TABLE payment_booked ADD COLUMN mark TEXT NOT NULL DEFAULT ''; -- digest of the row; '': from before there were marks
ALTER TABLE payment_withdrawals ADD COLUMN mark TEXT NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE TRIGGER payment_batches_unchanged BEFORE UPDATE ON payment_batches
BEGIN
  SELECT RAISE(ABORT, 'a batch of the ledger is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_batches_kept BEFORE DELETE ON payment_batches
BEGIN
  SELECT RAISE(ABORT, 'a batch of the ledger is never deleted');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_seals_unchanged BEFORE UPDATE ON payment_seals
BEGIN
  SELECT RAISE(ABORT, 'a seal of the ledger is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_seals_kept BEFORE DELETE ON payment_seals
BEGIN
  SELECT RAISE(ABORT, 'a seal of the ledger is never deleted');
END;
-- +goose StatementEnd
