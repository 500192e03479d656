-- Integrators' addresses, what is delivered to them, and how that went.

-- +goose Up
CREATE TABLE notification_hooks (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- never used again, not even after a row has gone
  name       VARCHAR(191) NOT NULL UNIQUE CHECK (name <> ''),
  client     VARCHAR(191) NOT NULL,
  url        MEDIUMTEXT NOT NULL CHECK (url <> ''),
  wants      MEDIUMTEXT NOT NULL,
  state      VARCHAR(191) NOT NULL CHECK (state IN ('active', 'paused', 'off')),
  why        MEDIUMTEXT NOT NULL,
  made_at    BIGINT NOT NULL,
  sealed     MEDIUMTEXT NOT NULL CHECK (sealed <> ''),
  old_sealed MEDIUMTEXT NOT NULL,
  old_until  BIGINT NOT NULL,
  fails      BIGINT NOT NULL CHECK (fails >= 0),
  failing_at BIGINT NOT NULL,
  rest_until BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE notification_hook_deliveries (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  hook_id    BIGINT NOT NULL CHECK (hook_id > 0),
  event_id   VARCHAR(191) NOT NULL CHECK (event_id <> ''),
  message_id VARCHAR(191) NOT NULL UNIQUE CHECK (message_id <> ''),
  name       VARCHAR(191) NOT NULL,
  at         BIGINT NOT NULL,
  body       LONGBLOB NOT NULL,
  stage      VARCHAR(191) NOT NULL CHECK (stage IN ('waiting', 'delivered', 'dead')),
  tries      BIGINT NOT NULL CHECK (tries >= 0),
  next_at    BIGINT NOT NULL,
  UNIQUE (hook_id, event_id),
  INDEX notification_hook_deliveries_due (hook_id, stage, next_at),
  INDEX notification_hook_deliveries_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE notification_hook_tries (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  delivery_id BIGINT NOT NULL CHECK (delivery_id > 0),
  at          BIGINT NOT NULL,
  status      BIGINT NOT NULL,
  took        BIGINT NOT NULL,
  reason      VARCHAR(191) NOT NULL,
  excerpt     MEDIUMTEXT NOT NULL,
  INDEX notification_hook_tries_delivery (delivery_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE notification_hook_users (
  user_id     BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0),
  client      VARCHAR(191) NOT NULL CHECK (client <> ''),
  external_id VARCHAR(191) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
