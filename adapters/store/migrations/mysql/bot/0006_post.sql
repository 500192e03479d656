-- What people send us and what they are sent, until both are seen to.

-- +goose Up
CREATE TABLE bot_letters (
  seq       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  channel   VARCHAR(191) NOT NULL CHECK (channel <> ''),
  letter_id VARCHAR(191) NOT NULL CHECK (letter_id <> ''),
  chat      VARCHAR(191) NOT NULL,
  payload   LONGBLOB NOT NULL, -- sealed; empty once it is done
  at        BIGINT NOT NULL,
  state     VARCHAR(191) NOT NULL CHECK (state IN ('waiting', 'done', 'given_up')),
  live      TINYINT NOT NULL CHECK (live IN (0, 1)), -- it waits
  tries     BIGINT NOT NULL CHECK (tries >= 0),
  reason    VARCHAR(191) NOT NULL,
  ended_at  BIGINT NOT NULL,
  UNIQUE (channel, letter_id),
  INDEX bot_letters_chat (channel, chat, live, seq),
  INDEX bot_letters_state (live, state, ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_parcels (
  seq        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  parcel_key VARCHAR(191) NOT NULL UNIQUE CHECK (parcel_key <> ''),
  channel    VARCHAR(191) NOT NULL CHECK (channel <> ''),
  chat       VARCHAR(191) NOT NULL,
  external   VARCHAR(191) NOT NULL,
  body       LONGBLOB NOT NULL, -- sealed; empty once it is sent
  quiet      TINYINT NOT NULL CHECK (quiet IN (0, 1)),
  at         BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  state      VARCHAR(191) NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'moved', 'gone', 'given_up', 'unknown')),
  live       TINYINT NOT NULL CHECK (live IN (0, 1)), -- it waits or is being sent
  parts      BIGINT NOT NULL CHECK (parts >= 0),
  doubt      TINYINT NOT NULL CHECK (doubt IN (0, 1)),
  note       MEDIUMTEXT NOT NULL,
  tries      BIGINT NOT NULL CHECK (tries >= 0),
  reason     VARCHAR(191) NOT NULL,
  ended_at   BIGINT NOT NULL,
  INDEX bot_parcels_chat (channel, chat, live, seq),
  INDEX bot_parcels_state (live, state, ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A lane is one side of a chat: who works on it, and when it is due.
CREATE TABLE bot_lanes (
  side     VARCHAR(16) NOT NULL CHECK (side IN ('in', 'out')),
  channel  VARCHAR(191) NOT NULL,
  chat     VARCHAR(191) NOT NULL,
  due_at   BIGINT NOT NULL, -- 0: nothing waits
  turns    BIGINT NOT NULL, -- that it has had since something waits
  quiet    TINYINT NOT NULL CHECK (quiet IN (0, 1)), -- nobody waits for anything that waits
  parked   TINYINT NOT NULL CHECK (parked IN (0, 1)), -- until the person writes, or due_at
  warned   TINYINT NOT NULL CHECK (warned IN (0, 1)), -- the person knows that too much waits
  holder   VARCHAR(191) NOT NULL, -- '': nobody
  until_at BIGINT NOT NULL,
  PRIMARY KEY (side, channel, chat),
  INDEX bot_lanes_due (side, channel, quiet, due_at, turns),
  INDEX bot_lanes_holder (holder, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
