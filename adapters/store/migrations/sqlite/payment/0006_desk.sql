-- Withdrawals wait for their payees to confirm, are approved by two, and carry
-- their risk. The database itself keeps to the ways between the states, and never
-- lets go of a final one, of what was asked for, or of a number that a payer knows.

-- +goose Up
CREATE TABLE payment_withdrawals_new (
  id           INTEGER PRIMARY KEY AUTOINCREMENT, -- part of the number at the payer: never used again
  request_key  TEXT NOT NULL UNIQUE CHECK (request_key <> ''),
  user_id      INTEGER NOT NULL CHECK (user_id > 0),
  amount       INTEGER NOT NULL CHECK (amount > 0),
  payee        TEXT NOT NULL CHECK (payee <> ''), -- sealed
  payee_print  TEXT NOT NULL, -- keyed hash of the account; '' from before there was one
  state        TEXT NOT NULL CHECK (state IN ('requested', 'reviewing', 'approved', 'sending', 'confirming', 'unknown',
                                             'paid', 'failed', 'refused', 'cancelled')),
  reason       TEXT NOT NULL,
  payer        TEXT NOT NULL,
  number       TEXT UNIQUE, -- NULL before it is given to a payer
  actor        TEXT NOT NULL,
  first_actor  TEXT NOT NULL,
  risk         INTEGER NOT NULL,
  signs        TEXT NOT NULL,
  receipt      TEXT NOT NULL,
  confirm_text TEXT NOT NULL,
  batch        TEXT NOT NULL, -- the file by which a person pays it; '' for none
  rev          INTEGER NOT NULL CHECK (rev > 0),
  tries        INTEGER NOT NULL CHECK (tries >= 0),
  at           INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL,
  next_at      INTEGER NOT NULL,
  mark         TEXT NOT NULL DEFAULT '',
  sent_at      INTEGER NOT NULL -- 0 before the intent to pay was committed
) STRICT;
INSERT INTO payment_withdrawals_new (id, request_key, user_id, amount, payee, state, reason, payer, number, actor, rev, tries, at, changed_at, next_at, mark, payee_print, first_actor, risk, signs, receipt, confirm_text, batch, sent_at)
  SELECT id, request_key, user_id, amount, payee, state, reason, payer, number, actor, rev, tries, at, changed_at, next_at, mark, '', '', 0, '', '', '', '', CASE WHEN number IS NULL THEN 0 ELSE changed_at END FROM payment_withdrawals;
DROP TABLE payment_withdrawals;
ALTER TABLE payment_withdrawals_new RENAME TO payment_withdrawals;
CREATE INDEX payment_withdrawals_user ON payment_withdrawals (user_id);
CREATE INDEX payment_withdrawals_state ON payment_withdrawals (state);
CREATE INDEX payment_withdrawals_print ON payment_withdrawals (payee_print);
CREATE INDEX payment_withdrawals_batch ON payment_withdrawals (batch);
CREATE INDEX payment_withdrawals_sent ON payment_withdrawals (sent_at);

CREATE TABLE payment_incidents (
  id            INTEGER PRIMARY KEY,
  withdrawal_id INTEGER NOT NULL,
  state         TEXT NOT NULL,
  verdict       TEXT NOT NULL,
  reason        TEXT NOT NULL,
  at            INTEGER NOT NULL,
  UNIQUE (withdrawal_id, state, verdict)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_legal BEFORE UPDATE OF state ON payment_withdrawals
WHEN OLD.state <> NEW.state AND NOT (
    OLD.state = 'requested' AND NEW.state IN ('reviewing', 'approved', 'refused', 'cancelled') OR
    OLD.state = 'reviewing' AND NEW.state IN ('approved', 'refused', 'cancelled') OR
    OLD.state = 'approved' AND NEW.state IN ('sending', 'reviewing', 'refused', 'cancelled') OR
    OLD.state = 'sending' AND NEW.state IN ('confirming', 'paid', 'failed', 'unknown') OR
    OLD.state = 'confirming' AND NEW.state IN ('paid', 'failed', 'unknown') OR
    OLD.state = 'unknown' AND NEW.state IN ('confirming', 'paid', 'failed'))
BEGIN
  SELECT RAISE(ABORT, 'there is no such way between the states of a withdrawal');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_unchanged BEFORE UPDATE ON payment_withdrawals
WHEN OLD.state IN ('paid', 'failed', 'refused', 'cancelled') OR NEW.id <> OLD.id OR NEW.request_key <> OLD.request_key
  OR NEW.user_id <> OLD.user_id OR NEW.amount <> OLD.amount OR OLD.number IS NOT NULL AND (NEW.number IS NOT OLD.number OR NEW.payer <> OLD.payer)
BEGIN
  SELECT RAISE(ABORT, 'a withdrawal that is final, what was asked for, and who pays it are never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_kept BEFORE DELETE ON payment_withdrawals
BEGIN
  SELECT RAISE(ABORT, 'a withdrawal is never deleted');
END;
-- +goose StatementEnd
