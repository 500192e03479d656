-- +goose Up
CREATE TABLE notification_messages (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  message_key VARCHAR(191) NOT NULL UNIQUE CHECK (message_key <> ''),
  user_id     BIGINT NOT NULL CHECK (user_id > 0),
  kind        VARCHAR(191) NOT NULL,
  data        LONGBLOB NOT NULL,
  at          BIGINT NOT NULL,
  tries       BIGINT NOT NULL CHECK (tries >= 0),
  state       VARCHAR(191) NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
  next_at     BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX notification_messages_waiting ON notification_messages (state, user_id);
