-- The book. Entries are never changed or deleted, and the database itself sees
-- to that.

-- +goose Up
CREATE TABLE payment_accounts (
  id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name    VARCHAR(191) NOT NULL UNIQUE CHECK (name <> ''),
  `sign`  BIGINT NOT NULL CHECK (`sign` IN (-1, 0, 1)), -- on which side of zero the balance stays; 0: on both
  balance BIGINT NOT NULL,
  CHECK (`sign` = 0 OR `sign` * balance >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment_entries (
  id        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entry_key VARCHAR(191) NOT NULL UNIQUE CHECK (entry_key <> ''),
  kind      VARCHAR(191) NOT NULL CHECK (kind <> ''),
  from_id   BIGINT NOT NULL,
  to_id     BIGINT NOT NULL,
  amount    BIGINT NOT NULL CHECK (amount > 0),
  cause     VARCHAR(191) NOT NULL CHECK (cause <> ''),
  note      MEDIUMTEXT NOT NULL,
  at        BIGINT NOT NULL,
  CHECK (from_id <> to_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_entries_from ON payment_entries (from_id); -- and id, which ends every index
CREATE INDEX payment_entries_to ON payment_entries (to_id);
CREATE INDEX payment_entries_cause ON payment_entries (cause);

-- +goose StatementBegin
CREATE TRIGGER payment_entries_unchanged BEFORE UPDATE ON payment_entries FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry of the ledger is never changed';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_entries_kept BEFORE DELETE ON payment_entries FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry of the ledger is never deleted';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accounts_kept BEFORE DELETE ON payment_accounts FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an account of the ledger is never deleted';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accounts_named BEFORE UPDATE ON payment_accounts FOR EACH ROW
BEGIN
  IF NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.`sign` <> OLD.`sign` THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an account of the ledger is never renamed';
  END IF;
END;
-- +goose StatementEnd

CREATE TABLE payment_booked (
  network   VARCHAR(191) NOT NULL,
  account   VARCHAR(191) NOT NULL,
  line_no   VARCHAR(191) NOT NULL,
  seq       BIGINT NOT NULL CHECK (seq > 0),
  user_id   BIGINT NOT NULL CHECK (user_id >= 0),
  pending   BIGINT NOT NULL CHECK (pending >= 0),
  available BIGINT NOT NULL CHECK (available >= 0),
  margin    BIGINT NOT NULL,
  PRIMARY KEY (network, account, line_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
