-- What people are asked to pay us, and what became of it.

-- +goose Up
CREATE TABLE payment_charges (
  id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY, -- part of the number at the collector: never used again
  request_key VARCHAR(191) NOT NULL UNIQUE CHECK (request_key <> ''),
  purpose     VARCHAR(32)  NOT NULL CHECK (purpose IN ('membership', 'topup')),
  user_id     BIGINT       NOT NULL CHECK (user_id >= 0), -- 0: the house itself
  what        VARCHAR(191) NOT NULL,
  amount      BIGINT       NOT NULL CHECK (amount > 0),
  subject     MEDIUMTEXT   NOT NULL CHECK (subject <> ''),
  collector   VARCHAR(64)  NOT NULL CHECK (collector <> ''),
  number      VARCHAR(191) UNIQUE, -- NULL within the transaction that makes it
  stage       VARCHAR(32)  NOT NULL CHECK (stage IN ('created', 'asked', 'received', 'held', 'refunding', 'refunded', 'lapsed')),
  reason      MEDIUMTEXT   NOT NULL,
  code        MEDIUMTEXT   NOT NULL,
  receipt     VARCHAR(191) NOT NULL,
  paid        BIGINT       NOT NULL CHECK (paid >= 0),
  account     VARCHAR(191) NOT NULL, -- where it went in the books
  rev         BIGINT       NOT NULL CHECK (rev > 0),
  tries       BIGINT       NOT NULL CHECK (tries >= 0),
  at          BIGINT       NOT NULL,
  changed_at  BIGINT       NOT NULL,
  expires_at  BIGINT       NOT NULL,
  next_at     BIGINT       NOT NULL, -- 0: never
  mark        VARCHAR(191) NOT NULL,
  INDEX payment_charges_user (user_id, stage),
  INDEX payment_charges_stage (stage),
  INDEX payment_charges_next (next_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose StatementBegin
CREATE TRIGGER payment_charges_legal BEFORE UPDATE ON payment_charges FOR EACH ROW
BEGIN
  IF OLD.stage <> NEW.stage AND NOT (
    OLD.stage = 'created' AND NEW.stage IN ('asked', 'received', 'held', 'lapsed') OR
    OLD.stage = 'asked' AND NEW.stage IN ('received', 'held', 'lapsed') OR
    OLD.stage IN ('received', 'held') AND NEW.stage = 'refunding' OR
    OLD.stage = 'lapsed' AND NEW.stage IN ('refunding', 'held') OR
    OLD.stage = 'refunding' AND NEW.stage = 'refunded') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no such way between the stages of a charge';
  END IF;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_charges_unchanged BEFORE UPDATE ON payment_charges FOR EACH ROW
BEGIN
  IF NEW.id <> OLD.id OR NEW.request_key <> OLD.request_key OR NEW.purpose <> OLD.purpose OR NEW.user_id <> OLD.user_id OR NEW.what <> OLD.what
    OR NEW.amount <> OLD.amount OR NEW.collector <> OLD.collector OR OLD.number IS NOT NULL AND NOT NEW.number <=> OLD.number
    OR OLD.paid <> 0 AND (NEW.paid <> OLD.paid OR NEW.account <> OLD.account) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a charge asks for, and what has come, are never changed';
  END IF;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_charges_kept BEFORE DELETE ON payment_charges FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a charge is never deleted';
END;
-- +goose StatementEnd
