-- What WeChat lets us send to whom, what waits until they write, and which way answers went.

-- +goose Up
CREATE TABLE bot_wechat_followers (
  openid VARCHAR(191) NOT NULL PRIMARY KEY CHECK (openid <> ''),
  state  LONGBLOB NOT NULL,
  rev    BIGINT NOT NULL CHECK (rev > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_wechat_parked (
  id       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  openid   VARCHAR(191) NOT NULL CHECK (openid <> ''),
  park_key VARCHAR(191) NOT NULL UNIQUE CHECK (park_key <> ''),
  body     LONGBLOB NOT NULL,
  told     VARCHAR(191) NOT NULL,
  at       BIGINT NOT NULL,
  INDEX bot_wechat_parked_person (openid, told, id),
  INDEX bot_wechat_parked_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_wechat_ways (
  message_id VARCHAR(191) NOT NULL PRIMARY KEY CHECK (message_id <> ''),
  way        VARCHAR(191) NOT NULL CHECK (way <> ''),
  at         BIGINT NOT NULL,
  INDEX bot_wechat_ways_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
