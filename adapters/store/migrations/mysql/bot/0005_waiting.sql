-- Links that wait for their network.

-- +goose Up
CREATE TABLE bot_waiting (
  id       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id  BIGINT NOT NULL CHECK (user_id > 0),
  ref_key  VARCHAR(191) NOT NULL,
  channel  VARCHAR(191) NOT NULL,
  external VARCHAR(191) NOT NULL,
  chat     VARCHAR(191) NOT NULL,
  ref      MEDIUMTEXT NOT NULL,
  at       BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  next_at  BIGINT NOT NULL,
  tries    BIGINT NOT NULL,
  UNIQUE (user_id, ref_key),
  INDEX bot_waiting_next (next_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
