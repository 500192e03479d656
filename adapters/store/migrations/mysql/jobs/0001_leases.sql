-- +goose Up
CREATE TABLE jobs_leases (
  name     VARCHAR(191) NOT NULL PRIMARY KEY,
  holder   VARCHAR(191) NOT NULL, -- '' after it was given back
  token    BIGINT NOT NULL CHECK (token > 0),
  until_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who writes holds this table's row: transactions of a target come one after the
-- other, as they do in SQLite.
CREATE TABLE jobs_turn (
  id BIGINT NOT NULL PRIMARY KEY
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT IGNORE INTO jobs_turn (id) VALUES (1);
