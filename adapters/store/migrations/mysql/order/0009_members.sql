-- Which accounts at networks are whose, who wanted one that is somebody else's, and
-- which tickets for binding them are used up.

-- +goose Up
CREATE TABLE order_members (
  network VARCHAR(64)  NOT NULL CHECK (network <> ''),
  tag     VARCHAR(191) NOT NULL CHECK (tag <> ''),
  user_id BIGINT       NOT NULL CHECK (user_id > 0),
  at      BIGINT       NOT NULL,
  PRIMARY KEY (network, tag)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_members_user ON order_members (user_id);

CREATE TABLE order_contests (
  id      BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network VARCHAR(64)  NOT NULL,
  tag     VARCHAR(191) NOT NULL,
  user_id BIGINT       NOT NULL CHECK (user_id > 0),
  owner   BIGINT       NOT NULL CHECK (owner > 0),
  at      BIGINT       NOT NULL,
  UNIQUE (network, tag, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_contests_at ON order_contests (at);

CREATE TABLE order_tickets (
  ticket   VARCHAR(191) NOT NULL PRIMARY KEY CHECK (ticket <> ''),
  until_at BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_tickets_until ON order_tickets (until_at);
