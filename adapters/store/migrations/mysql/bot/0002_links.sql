-- Links and what the bot remembers of its conversations.

-- +goose Up
CREATE TABLE bot_links (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id      BIGINT NOT NULL CHECK (user_id > 0),
  network      VARCHAR(191) NOT NULL,
  item         VARCHAR(191) NOT NULL,
  title        MEDIUMTEXT NOT NULL,
  tag          VARCHAR(191) NOT NULL UNIQUE CHECK (tag <> ''),
  slot         VARCHAR(191) NOT NULL,
  made_url     MEDIUMTEXT NOT NULL,
  made_token   MEDIUMTEXT NOT NULL,
  made_expires BIGINT NOT NULL,
  offer        MEDIUMTEXT NOT NULL,
  promise      MEDIUMTEXT NOT NULL,
  at           BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX bot_links_user ON bot_links (user_id, network, item, at);
CREATE INDEX bot_links_item ON bot_links (network, item, at);

CREATE TABLE bot_answers (
  channel    VARCHAR(191) NOT NULL,
  message_id VARCHAR(191) NOT NULL,
  answer     LONGBLOB NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (channel, message_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_dialogues (
  user_id BIGINT NOT NULL PRIMARY KEY,
  state   LONGBLOB NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_marks (
  name  VARCHAR(191) NOT NULL PRIMARY KEY,
  value MEDIUMTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_chats (
  seq  BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  chat VARCHAR(191) NOT NULL,
  body LONGBLOB NOT NULL,
  at   BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX bot_chats_chat ON bot_chats (chat);
