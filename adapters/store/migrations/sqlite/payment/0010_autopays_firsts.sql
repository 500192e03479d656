-- What users want to be withdrawn without asking.

-- +goose Up
CREATE TABLE payment_autopays (
  user_id    INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  account    TEXT    NOT NULL UNIQUE CHECK (account <> ''), -- the name of the user's available money
  is_on      INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  threshold  INTEGER NOT NULL CHECK (threshold > 0),
  tried_on   TEXT    NOT NULL, -- a day; '' for never
  why        TEXT    NOT NULL, -- the last try was refused; '' where it was not
  rev        INTEGER NOT NULL CHECK (rev > 0),
  changed_at INTEGER NOT NULL
) STRICT;

-- The first order that brought a user something: bonuses for invitations are given
-- for no other. Users from before this was kept have come already.
CREATE TABLE payment_firsts (
  user_id INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  cause   TEXT    NOT NULL CHECK (cause <> ''),
  at      INTEGER NOT NULL
) STRICT;
INSERT INTO payment_firsts (user_id, cause, at)
  SELECT user_id, 'before', 0 FROM payment_booked WHERE user_id > 0 AND available > 0 GROUP BY user_id;
