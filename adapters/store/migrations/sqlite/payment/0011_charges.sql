-- What people are asked to pay us, and what became of it.

-- +goose Up
CREATE TABLE payment_charges (
  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- part of the number at the collector: never used again
  request_key TEXT    NOT NULL UNIQUE CHECK (request_key <> ''),
  purpose     TEXT    NOT NULL CHECK (purpose IN ('membership', 'topup')),
  user_id     INTEGER NOT NULL CHECK (user_id >= 0), -- 0: the house itself
  what        TEXT    NOT NULL,
  amount      INTEGER NOT NULL CHECK (amount > 0),
  subject     TEXT    NOT NULL CHECK (subject <> ''),
  collector   TEXT    NOT NULL CHECK (collector <> ''),
  number      TEXT    UNIQUE, -- NULL within the transaction that makes it
  stage       TEXT    NOT NULL CHECK (stage IN ('created', 'asked', 'received', 'held', 'refunding', 'refunded', 'lapsed')),
  reason      TEXT    NOT NULL,
  code        TEXT    NOT NULL,
  receipt     TEXT    NOT NULL,
  paid        INTEGER NOT NULL CHECK (paid >= 0),
  account     TEXT    NOT NULL, -- where it went in the books
  rev         INTEGER NOT NULL CHECK (rev > 0),
  tries       INTEGER NOT NULL CHECK (tries >= 0),
  at          INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  next_at     INTEGER NOT NULL, -- 0: never
  mark        TEXT    NOT NULL
) STRICT;
CREATE INDEX payment_charges_user ON payment_charges (user_id, stage);
CREATE INDEX payment_charges_stage ON payment_charges (stage);
CREATE INDEX payment_charges_next ON payment_charges (next_at);

-- +goose StatementBegin
CREATE TRIGGER payment_charges_legal BEFORE UPDATE OF stage ON payment_charges
WHEN OLD.stage <> NEW.stage AND NOT (
    OLD.stage = 'created' AND NEW.stage IN ('asked', 'received', 'held', 'lapsed') OR
    OLD.stage = 'asked' AND NEW.stage IN ('received', 'held', 'lapsed') OR
    OLD.stage IN ('received', 'held') AND NEW.stage = 'refunding' OR
    OLD.stage = 'lapsed' AND NEW.stage IN ('refunding', 'held') OR
    OLD.stage = 'refunding' AND NEW.stage = 'refunded')
BEGIN
  SELECT RAISE(ABORT, 'there is no such way between the stages of a charge');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_charges_unchanged BEFORE UPDATE ON payment_charges
WHEN NEW.id <> OLD.id OR NEW.request_key <> OLD.request_key OR NEW.purpose <> OLD.purpose OR NEW.user_id <> OLD.user_id OR NEW.what <> OLD.what
  OR NEW.amount <> OLD.amount OR NEW.collector <> OLD.collector OR OLD.number IS NOT NULL AND NEW.number IS NOT OLD.number
  OR OLD.paid <> 0 AND (NEW.paid <> OLD.paid OR NEW.account <> OLD.account)
BEGIN
  SELECT RAISE(ABORT, 'what a charge asks for, and what has come, are never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_charges_kept BEFORE DELETE ON payment_charges
BEGIN
  SELECT RAISE(ABORT, 'a charge is never deleted');
END;
-- +goose StatementEnd
