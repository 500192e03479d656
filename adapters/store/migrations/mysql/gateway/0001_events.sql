-- What this target says, until everybody has heard it; and what it has heard.

-- +goose Up
CREATE TABLE gateway_outbox (
  seq      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- never used again, not even after a row has gone
  event_id VARCHAR(191) NOT NULL UNIQUE CHECK (event_id <> ''),
  name     VARCHAR(191) NOT NULL,
  at       BIGINT NOT NULL,
  data     LONGBLOB NOT NULL,
  tries    BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_at  BIGINT NOT NULL DEFAULT 0,
  dead     BIGINT NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
  error    MEDIUMTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE gateway_inbox (
  event_id VARCHAR(191) NOT NULL PRIMARY KEY CHECK (event_id <> ''),
  at       BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who writes holds this table's row: transactions of a target come one after the
-- other, as they do in SQLite.
CREATE TABLE gateway_turn (
  id BIGINT NOT NULL PRIMARY KEY
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT IGNORE INTO gateway_turn (id) VALUES (1);
