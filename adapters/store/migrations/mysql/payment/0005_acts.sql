-- What staff have done, as a chain of hashes. Acts are never changed or deleted.

-- +goose Up
CREATE TABLE payment_acts (
  id        BIGINT       NOT NULL PRIMARY KEY, -- from 1 without gaps; not given by the database
  at        BIGINT       NOT NULL,
  actor     VARCHAR(191) NOT NULL CHECK (actor <> ''),
  role      VARCHAR(191) NOT NULL,
  what      VARCHAR(191) NOT NULL CHECK (what <> ''),
  subject   VARCHAR(191) NOT NULL CHECK (subject <> ''),
  reason    MEDIUMTEXT   NOT NULL,
  was       MEDIUMTEXT   NOT NULL,
  became    MEDIUMTEXT   NOT NULL,
  trace     VARCHAR(191) NOT NULL,
  hash      VARCHAR(191) NOT NULL UNIQUE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_acts_actor ON payment_acts (actor);
CREATE INDEX payment_acts_what ON payment_acts (what);
CREATE INDEX payment_acts_subject ON payment_acts (subject);
CREATE INDEX payment_acts_at ON payment_acts (at);

CREATE TABLE payment_acts_end (
  id   BIGINT       NOT NULL PRIMARY KEY CHECK (id = 1), -- one row, locked by whoever adds an act
  last BIGINT       NOT NULL CHECK (last >= 0),
  hash VARCHAR(191) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO payment_acts_end (id, last, hash) VALUES (1, 0, '');

-- +goose StatementBegin
CREATE TRIGGER payment_acts_unchanged BEFORE UPDATE ON payment_acts FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an act of staff is never changed';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_acts_kept BEFORE DELETE ON payment_acts FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an act of staff is never deleted';
END;
-- +goose StatementEnd
