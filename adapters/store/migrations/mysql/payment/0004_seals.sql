-- What makes an edit of history show: a digest of every batch of entries, a chain
-- of seals over the batches, and a mark on what is booked and withdrawn.

-- +goose Up
CREATE TABLE payment_batches (
  id      BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entries BIGINT  NOT NULL CHECK (entries > 0),
  digest  VARCHAR(191) NOT NULL CHECK (digest <> ''),
  at      BIGINT  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE payment_entries ADD COLUMN batch_id BIGINT NOT NULL DEFAULT 0; -- 0: from before there were batches

CREATE TABLE payment_seals (
  id         BIGINT NOT NULL PRIMARY KEY, -- from 1 without gaps; not given by the database
  day        VARCHAR(191) NOT NULL,
  last_batch BIGINT  NOT NULL,
  batches    BIGINT  NOT NULL CHECK (batches > 0),
  entries    BIGINT  NOT NULL CHECK (entries > 0),
  prev       VARCHAR(191) NOT NULL,
  hash       VARCHAR(191) NOT NULL UNIQUE,
  at         BIGINT  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE payment_booked ADD COLUMN mark VARCHAR(191) NOT NULL DEFAULT ''; -- digest of the row; '': from before there were marks
ALTER TABLE payment_withdrawals ADD COLUMN mark VARCHAR(191) NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE TRIGGER payment_batches_unchanged BEFORE UPDATE ON payment_batches FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a batch of the ledger is never changed';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_batches_kept BEFORE DELETE ON payment_batches FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a batch of the ledger is never deleted';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_seals_unchanged BEFORE UPDATE ON payment_seals FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a seal of the ledger is never changed';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_seals_kept BEFORE DELETE ON payment_seals FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a seal of the ledger is never deleted';
END;
-- +goose StatementEnd
