-- What staff has stopped.

-- +goose Up
DROP TABLE IF EXISTS payment_switches;
CREATE TABLE payment_switches (
  scope     VARCHAR(191) NOT NULL PRIMARY KEY CHECK (scope <> ''),
  is_on     BIGINT NOT NULL CHECK (is_on IN (0, 1)),
  turned_by VARCHAR(191) NOT NULL CHECK (turned_by <> ''),
  why       MEDIUMTEXT NOT NULL,
  told      MEDIUMTEXT NOT NULL, -- to users; '' for the usual words
  since     BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
