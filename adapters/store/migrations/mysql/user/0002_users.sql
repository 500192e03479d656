-- +goose Up
CREATE TABLE users (
  id        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- an erased user's number goes to nobody else
  level     BIGINT NOT NULL CHECK (level >= 0),
  locale    VARCHAR(191) NOT NULL,
  joined_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE user_identities (
  channel  VARCHAR(191) NOT NULL CHECK (channel <> ''),
  external VARCHAR(191) NOT NULL CHECK (external <> ''),
  user_id  BIGINT NOT NULL CHECK (user_id > 0),
  used_at  BIGINT NOT NULL,
  PRIMARY KEY (channel, external)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX user_identities_user ON user_identities (user_id);

CREATE TABLE user_payees (
  user_id BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0),
  sealed  MEDIUMTEXT NOT NULL CHECK (sealed <> '')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
