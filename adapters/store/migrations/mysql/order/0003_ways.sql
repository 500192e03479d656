-- What the ladder climbs: links, confirmed buyers and claims.

-- +goose Up
CREATE TABLE order_ways (
  link_id BIGINT NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL CHECK (user_id > 0),
  network VARCHAR(191) NOT NULL,
  item    VARCHAR(191) NOT NULL,
  tag     VARCHAR(191) NOT NULL UNIQUE CHECK (tag <> ''),
  slot    VARCHAR(191) NOT NULL,
  promise MEDIUMTEXT NOT NULL,
  at      BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_ways_item ON order_ways (network, item, at);

CREATE TABLE order_suffixes (
  network VARCHAR(191) NOT NULL,
  suffix  VARCHAR(191) NOT NULL CHECK (suffix <> ''),
  user_id BIGINT NOT NULL CHECK (user_id > 0),
  PRIMARY KEY (network, suffix, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE order_claims (
  id       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network  VARCHAR(191) NOT NULL,
  order_no VARCHAR(191) NOT NULL CHECK (order_no <> ''),
  user_id  BIGINT NOT NULL CHECK (user_id > 0),
  state    VARCHAR(191) NOT NULL CHECK (state IN ('waiting', 'granted')),
  at       BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  UNIQUE (network, order_no, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_claims_user ON order_claims (user_id, at);
