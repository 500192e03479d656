-- What is booked of a line for others than its user, and what was spent of budgets.

-- +goose Up
CREATE TABLE payment_parts (
  network    TEXT    NOT NULL,
  account    TEXT    NOT NULL,
  line_no    TEXT    NOT NULL,
  user1      INTEGER NOT NULL CHECK (user1 >= 0), -- who invited the line's user; there is no third
  pending1   INTEGER NOT NULL CHECK (pending1 >= 0),
  available1 INTEGER NOT NULL CHECK (available1 >= 0),
  user2      INTEGER NOT NULL CHECK (user2 >= 0), -- who invited that one
  pending2   INTEGER NOT NULL CHECK (pending2 >= 0),
  available2 INTEGER NOT NULL CHECK (available2 >= 0),
  topup      INTEGER NOT NULL CHECK (topup >= 0),
  budget     TEXT    NOT NULL,
  PRIMARY KEY (network, account, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_budgets (
  budget TEXT    NOT NULL CHECK (budget <> ''),
  span   TEXT    NOT NULL CHECK (span <> ''), -- a day, a month, or all of time
  used   INTEGER NOT NULL, -- below zero on a day on which more came back than was spent
  PRIMARY KEY (budget, span)
) STRICT, WITHOUT ROWID;
