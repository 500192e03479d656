-- Withdrawals wait for their payees to confirm, are approved by two, and carry
-- their risk. The database itself keeps to the ways between the states, and never
-- lets go of a final one, of what was asked for, or of a number that a payer knows.

-- +goose Up
-- It may have been interrupted anywhere and is run again from its beginning.
DROP TABLE IF EXISTS payment_withdrawals_old;
DROP TABLE IF EXISTS payment_withdrawals_new;
DROP TRIGGER IF EXISTS payment_withdrawals_legal;
DROP TRIGGER IF EXISTS payment_withdrawals_unchanged;
DROP TRIGGER IF EXISTS payment_withdrawals_kept;
CREATE TABLE payment_withdrawals_new (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- part of the number at the payer: never used again
  request_key  VARCHAR(191) NOT NULL UNIQUE CHECK (request_key <> ''),
  user_id      BIGINT NOT NULL CHECK (user_id > 0),
  amount       BIGINT NOT NULL CHECK (amount > 0),
  payee        MEDIUMTEXT NOT NULL CHECK (payee <> ''), -- sealed
  payee_print  VARCHAR(191) NOT NULL, -- keyed hash of the account; '' from before there was one
  state        VARCHAR(191) NOT NULL CHECK (state IN ('requested', 'reviewing', 'approved', 'sending', 'confirming', 'unknown',
                                             'paid', 'failed', 'refused', 'cancelled')),
  reason       MEDIUMTEXT NOT NULL,
  payer        VARCHAR(191) NOT NULL,
  number       VARCHAR(191) UNIQUE, -- NULL before it is given to a payer
  actor        VARCHAR(191) NOT NULL,
  first_actor  VARCHAR(191) NOT NULL,
  risk         BIGINT NOT NULL,
  signs        MEDIUMTEXT NOT NULL,
  receipt      VARCHAR(191) NOT NULL,
  confirm_text MEDIUMTEXT NOT NULL,
  batch        VARCHAR(191) NOT NULL, -- the file by which a person pays it; '' for none
  rev          BIGINT NOT NULL CHECK (rev > 0),
  tries        BIGINT NOT NULL CHECK (tries >= 0),
  at           BIGINT NOT NULL,
  changed_at   BIGINT NOT NULL,
  next_at      BIGINT NOT NULL,
  mark         VARCHAR(191) NOT NULL DEFAULT '',
  sent_at      BIGINT NOT NULL, -- 0 before the intent to pay was committed
  INDEX payment_withdrawals_user (user_id),
  INDEX payment_withdrawals_state (state),
  INDEX payment_withdrawals_print (payee_print),
  INDEX payment_withdrawals_batch (batch),
  INDEX payment_withdrawals_sent (sent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO payment_withdrawals_new (id, request_key, user_id, amount, payee, state, reason, payer, number, actor, rev, tries, at, changed_at, next_at, mark, payee_print, first_actor, risk, signs, receipt, confirm_text, batch, sent_at)
  SELECT id, request_key, user_id, amount, payee, state, reason, payer, number, actor, rev, tries, at, changed_at, next_at, mark, '', '', 0, '', '', '', '', CASE WHEN number IS NULL THEN 0 ELSE changed_at END FROM payment_withdrawals;
RENAME TABLE payment_withdrawals TO payment_withdrawals_old, payment_withdrawals_new TO payment_withdrawals;
DROP TABLE payment_withdrawals_old;

DROP TABLE IF EXISTS payment_incidents;
CREATE TABLE payment_incidents (
  id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  withdrawal_id BIGINT NOT NULL,
  state         VARCHAR(64) NOT NULL,
  verdict       VARCHAR(64) NOT NULL,
  reason        MEDIUMTEXT NOT NULL,
  at            BIGINT NOT NULL,
  UNIQUE (withdrawal_id, state, verdict)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_legal BEFORE UPDATE ON payment_withdrawals FOR EACH ROW
BEGIN
  IF OLD.state <> NEW.state AND NOT (
    OLD.state = 'requested' AND NEW.state IN ('reviewing', 'approved', 'refused', 'cancelled') OR
    OLD.state = 'reviewing' AND NEW.state IN ('approved', 'refused', 'cancelled') OR
    OLD.state = 'approved' AND NEW.state IN ('sending', 'reviewing', 'refused', 'cancelled') OR
    OLD.state = 'sending' AND NEW.state IN ('confirming', 'paid', 'failed', 'unknown') OR
    OLD.state = 'confirming' AND NEW.state IN ('paid', 'failed', 'unknown') OR
    OLD.state = 'unknown' AND NEW.state IN ('confirming', 'paid', 'failed')) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no such way between the states of a withdrawal';
  END IF;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_unchanged BEFORE UPDATE ON payment_withdrawals FOR EACH ROW
BEGIN
  IF OLD.state IN ('paid', 'failed', 'refused', 'cancelled') OR NEW.id <> OLD.id OR NEW.request_key <> OLD.request_key
    OR NEW.user_id <> OLD.user_id OR NEW.amount <> OLD.amount OR OLD.number IS NOT NULL AND (NOT NEW.number <=> OLD.number OR NEW.payer <> OLD.payer) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a final withdrawal, what was asked for, and who pays are never changed';
  END IF;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_withdrawals_kept BEFORE DELETE ON payment_withdrawals FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a withdrawal is never deleted';
END;
-- +goose StatementEnd
