-- What is booked of a line for others than its user, and what was spent of budgets.

-- +goose Up
CREATE TABLE payment_parts (
  network    VARCHAR(191) NOT NULL,
  account    VARCHAR(191) NOT NULL,
  line_no    VARCHAR(191) NOT NULL,
  user1      BIGINT NOT NULL CHECK (user1 >= 0), -- who invited the line's user; there is no third
  pending1   BIGINT NOT NULL CHECK (pending1 >= 0),
  available1 BIGINT NOT NULL CHECK (available1 >= 0),
  user2      BIGINT NOT NULL CHECK (user2 >= 0), -- who invited that one
  pending2   BIGINT NOT NULL CHECK (pending2 >= 0),
  available2 BIGINT NOT NULL CHECK (available2 >= 0),
  topup      BIGINT NOT NULL CHECK (topup >= 0),
  budget     VARCHAR(191) NOT NULL,
  PRIMARY KEY (network, account, line_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment_budgets (
  budget VARCHAR(191) NOT NULL CHECK (budget <> ''),
  span   VARCHAR(191) NOT NULL CHECK (span <> ''), -- a day, a month, or all of time
  used   BIGINT NOT NULL, -- below zero on a day on which more came back than was spent
  PRIMARY KEY (budget, span)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
