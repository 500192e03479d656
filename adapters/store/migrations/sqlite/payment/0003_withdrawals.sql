-- +goose Up
CREATE TABLE payment_withdrawals (
  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- part of the number at the payer: never used again
  request_key TEXT    NOT NULL UNIQUE CHECK (request_key <> ''),
  user_id     INTEGER NOT NULL CHECK (user_id > 0),
  amount      INTEGER NOT NULL CHECK (amount > 0),
  payee       TEXT    NOT NULL CHECK (payee <> ''), -- sealed
  state       TEXT    NOT NULL CHECK (state IN ('requested', 'reviewing', 'approved', 'sending', 'unknown',
                                                'paid', 'failed', 'refused', 'cancelled')),
  reason      TEXT    NOT NULL,
  payer       TEXT    NOT NULL,
  number      TEXT    UNIQUE, -- NULL before it is given to a payer
  actor       TEXT    NOT NULL,
  rev         INTEGER NOT NULL CHECK (rev > 0),
  tries       INTEGER NOT NULL CHECK (tries >= 0),
  at          INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  next_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_withdrawals_user ON payment_withdrawals (user_id);
CREATE INDEX payment_withdrawals_state ON payment_withdrawals (state);
