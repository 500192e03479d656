-- Who brought whom. Everybody is brought by somebody who was here before, so that
-- there can be no circle.

-- +goose Up
CREATE TABLE user_codes (
  code    TEXT    NOT NULL PRIMARY KEY CHECK (code <> ''),
  user_id INTEGER NOT NULL UNIQUE CHECK (user_id > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_referrals (
  user_id    INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  inviter_id INTEGER NOT NULL CHECK (inviter_id > 0),
  at         INTEGER NOT NULL,
  CHECK (inviter_id < user_id)
) STRICT;
CREATE INDEX user_referrals_inviter ON user_referrals (inviter_id);
