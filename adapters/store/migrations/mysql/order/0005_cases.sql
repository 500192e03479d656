-- A claim is a case: what its user said, who decided, and what was promised.
-- order_claims stays as it is until nobody runs a binary that reads it.

-- +goose Up
CREATE TABLE order_cases (
  id       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network  VARCHAR(191) NOT NULL,
  order_no VARCHAR(191) NOT NULL CHECK (order_no <> ''),
  user_id  BIGINT NOT NULL CHECK (user_id > 0),
  state    VARCHAR(191) NOT NULL CHECK (state IN ('waiting', 'iced', 'contested', 'appealed', 'granted', 'refused', 'expired')),
  rev      BIGINT NOT NULL CHECK (rev > 0),
  at       BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  next_at  BIGINT NOT NULL,
  paid     BIGINT NOT NULL CHECK (paid >= 0),
  day      VARCHAR(191) NOT NULL,
  proofs   BIGINT NOT NULL CHECK (proofs >= 0),
  appeals  BIGINT NOT NULL CHECK (appeals >= 0),
  actor    VARCHAR(191) NOT NULL,
  note     MEDIUMTEXT NOT NULL,
  UNIQUE (network, order_no, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_cases_user ON order_cases (user_id, at);
CREATE INDEX order_cases_due ON order_cases (state, next_at);
CREATE INDEX order_cases_staffed ON order_cases (state, until_at);

INSERT IGNORE INTO order_cases
SELECT id, network, order_no, user_id, state, 1, at, until_at, until_at, 0, '', 0, 0, '', '' FROM order_claims;
