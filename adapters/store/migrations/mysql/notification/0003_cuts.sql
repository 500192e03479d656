-- What has happened to inviters' parts since they were last told.

-- +goose Up
CREATE TABLE notification_cuts (
  user_id BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0),
  given   BIGINT NOT NULL CHECK (given >= 0),
  taken   BIGINT NOT NULL CHECK (taken >= 0),
  debt    BIGINT NOT NULL CHECK (debt >= 0),
  orders  BIGINT NOT NULL CHECK (orders >= 0),
  since   BIGINT NOT NULL, -- of the first; 0: they were told everything
  told_at BIGINT NOT NULL,
  INDEX notification_cuts_since (since)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
