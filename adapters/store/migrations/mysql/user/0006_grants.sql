-- Levels that users have for a while, each because of one payment.

-- +goose Up
CREATE TABLE user_grants (
  cause    VARCHAR(191) NOT NULL PRIMARY KEY CHECK (cause <> ''),
  user_id  BIGINT       NOT NULL CHECK (user_id > 0),
  level    BIGINT       NOT NULL CHECK (level > 0),
  from_at  BIGINT       NOT NULL,
  until_at BIGINT       NOT NULL,
  revoked  BIGINT       NOT NULL CHECK (revoked IN (0, 1)),
  told     BIGINT       NOT NULL CHECK (told IN (0, 1)),
  CHECK (until_at >= from_at),
  INDEX user_grants_user (user_id),
  INDEX user_grants_end (told, until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
