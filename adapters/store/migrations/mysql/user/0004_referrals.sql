-- Who brought whom. Everybody is brought by somebody who was here before, so that
-- there can be no circle.

-- +goose Up
CREATE TABLE user_codes (
  code    VARCHAR(191) NOT NULL PRIMARY KEY CHECK (code <> ''),
  user_id BIGINT       NOT NULL UNIQUE CHECK (user_id > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE user_referrals (
  user_id    BIGINT NOT NULL PRIMARY KEY,
  inviter_id BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  CHECK (inviter_id > 0 AND inviter_id < user_id),
  INDEX user_referrals_inviter (inviter_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
