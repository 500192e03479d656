-- What users want to be withdrawn without asking.

-- +goose Up
CREATE TABLE payment_autopays (
  user_id    BIGINT       NOT NULL PRIMARY KEY CHECK (user_id > 0),
  account    VARCHAR(191) NOT NULL UNIQUE CHECK (account <> ''), -- the name of the user's available money
  is_on      BIGINT       NOT NULL CHECK (is_on IN (0, 1)),
  threshold  BIGINT       NOT NULL CHECK (threshold > 0),
  tried_on   VARCHAR(32)  NOT NULL, -- a day; '' for never
  why        VARCHAR(191) NOT NULL, -- the last try was refused; '' where it was not
  rev        BIGINT       NOT NULL CHECK (rev > 0),
  changed_at BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The first order that brought a user something: bonuses for invitations are given
-- for no other. Users from before this was kept have come already.
CREATE TABLE payment_firsts (
  user_id BIGINT       NOT NULL PRIMARY KEY CHECK (user_id > 0),
  cause   VARCHAR(191) NOT NULL CHECK (cause <> ''),
  at      BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT IGNORE INTO payment_firsts (user_id, cause, at)
  SELECT user_id, 'before', 0 FROM payment_booked WHERE user_id > 0 AND available > 0 GROUP BY user_id;
