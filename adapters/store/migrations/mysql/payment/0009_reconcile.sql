-- What others' books say, held against ours; and the months that are closed.

-- +goose Up
CREATE TABLE payment_comparisons (
  id      BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  subject VARCHAR(191) NOT NULL CHECK (subject <> ''),
  period  VARCHAR(191) NOT NULL CHECK (period <> ''),
  at      BIGINT       NOT NULL,
  hash    VARCHAR(191) NOT NULL,
  counted BIGINT       NOT NULL CHECK (counted >= 0), -- rows of the other book
  counts  MEDIUMTEXT   NOT NULL,                      -- by kind, JSON
  strays  BIGINT       NOT NULL CHECK (strays >= 0),
  theirs  BIGINT       NOT NULL,
  matched BIGINT       NOT NULL,
  ours    BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_comparisons_period ON payment_comparisons (period, subject);

CREATE TABLE payment_findings (
  id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  comparison_id BIGINT       NOT NULL CHECK (comparison_id > 0),
  kind          VARCHAR(191) NOT NULL CHECK (kind IN ('differs', 'missing-here', 'missing-there', 'twice', 'unreadable')),
  item          VARCHAR(191) NOT NULL, -- the line's or payout's key
  line_no       BIGINT       NOT NULL CHECK (line_no >= 0), -- in the file
  words         MEDIUMTEXT   NOT NULL,
  raw           MEDIUMTEXT   NOT NULL  -- the row, if it could not be read
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_findings_comparison ON payment_findings (comparison_id);

CREATE TABLE payment_accepted (
  subject  VARCHAR(191) NOT NULL CHECK (subject <> ''),
  item     VARCHAR(191) NOT NULL CHECK (item <> ''),
  period   VARCHAR(32)  NOT NULL CHECK (period <> ''),
  amount   BIGINT       NOT NULL,
  rev      BIGINT       NOT NULL CHECK (rev > 0),
  at       BIGINT       NOT NULL,
  PRIMARY KEY (subject, item, period)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment_frozen (
  subject  VARCHAR(191) NOT NULL CHECK (subject <> ''),
  item     VARCHAR(191) NOT NULL CHECK (item <> ''),
  network  VARCHAR(191) NOT NULL,
  account  VARCHAR(191) NOT NULL,
  month    VARCHAR(32)  NOT NULL CHECK (month <> ''),
  booked   BIGINT       NOT NULL, -- when the month was closed
  adjusted BIGINT       NOT NULL,
  rev      BIGINT       NOT NULL CHECK (rev >= 0),
  PRIMARY KEY (subject, item)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment_months (
  month         VARCHAR(32)  NOT NULL PRIMARY KEY CHECK (month <> ''),
  at            BIGINT       NOT NULL,
  actor         VARCHAR(191) NOT NULL CHECK (actor <> ''),
  reason        MEDIUMTEXT   NOT NULL,
  differences   BIGINT       NOT NULL CHECK (differences >= 0),
  report        MEDIUMTEXT   NOT NULL,
  hash          VARCHAR(191) NOT NULL UNIQUE CHECK (hash <> ''),
  previous_hash VARCHAR(191) NOT NULL UNIQUE -- two months cannot follow one
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose StatementBegin
CREATE TRIGGER payment_months_unchanged BEFORE UPDATE ON payment_months FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a closed month is never changed';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_months_kept BEFORE DELETE ON payment_months FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a closed month is never deleted';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accepted_kept BEFORE DELETE ON payment_accepted FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what was accepted is never deleted';
END;
-- +goose StatementEnd
