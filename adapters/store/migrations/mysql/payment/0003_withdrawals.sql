-- +goose Up
CREATE TABLE payment_withdrawals (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- part of the number at the payer: never used again
  request_key VARCHAR(191) NOT NULL UNIQUE CHECK (request_key <> ''),
  user_id     BIGINT NOT NULL CHECK (user_id > 0),
  amount      BIGINT NOT NULL CHECK (amount > 0),
  payee       MEDIUMTEXT NOT NULL CHECK (payee <> ''), -- sealed
  state       VARCHAR(191) NOT NULL CHECK (state IN ('requested', 'reviewing', 'approved', 'sending', 'unknown',
                                                'paid', 'failed', 'refused', 'cancelled')),
  reason      MEDIUMTEXT NOT NULL,
  payer       VARCHAR(191) NOT NULL,
  number      VARCHAR(191) UNIQUE, -- NULL before it is given to a payer
  actor       VARCHAR(191) NOT NULL,
  rev         BIGINT NOT NULL CHECK (rev > 0),
  tries       BIGINT NOT NULL CHECK (tries >= 0),
  at          BIGINT NOT NULL,
  changed_at  BIGINT NOT NULL,
  next_at     BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_withdrawals_user ON payment_withdrawals (user_id);
CREATE INDEX payment_withdrawals_state ON payment_withdrawals (state);
