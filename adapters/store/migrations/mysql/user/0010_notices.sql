-- What people want to be told unasked. Whoever has never said has no row.

-- +goose Up
CREATE TABLE user_notices (
  user_id    BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0),
  muted      VARCHAR(191) NOT NULL,
  quiet_from BIGINT NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439),
  quiet_to   BIGINT NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
