-- +goose Up
CREATE TABLE rebate_rules (
  version BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  body    MEDIUMTEXT NOT NULL,
  at      BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE rebates (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network    VARCHAR(191) NOT NULL,
  account    VARCHAR(191) NOT NULL,
  line_no    VARCHAR(191) NOT NULL,
  line       MEDIUMTEXT NOT NULL, -- as it was when the rebate was computed
  seq        BIGINT NOT NULL CHECK (seq >= 0),
  user_id    BIGINT NOT NULL CHECK (user_id >= 0),
  stage      VARCHAR(191) NOT NULL CHECK (stage IN ('nothing', 'pending', 'available')),
  amount     BIGINT NOT NULL CHECK (amount >= 0),
  margin     BIGINT NOT NULL,
  due_at     BIGINT NOT NULL,
  trace      MEDIUMTEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  UNIQUE (network, account, line_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX rebates_due ON rebates (stage, due_at);
