-- Who is staff, as what, and by which identities they are known.

-- +goose Up
CREATE TABLE user_staff (
  id       BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name     VARCHAR(191) NOT NULL CHECK (name <> ''),
  role     VARCHAR(191) NOT NULL CHECK (role IN ('owner', 'finance', 'support', 'operator', 'auditor')),
  since_at BIGINT       NOT NULL,
  removed  BIGINT       NOT NULL CHECK (removed IN (0, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE user_staff_identities (
  channel  VARCHAR(191) NOT NULL,
  external VARCHAR(191) NOT NULL,
  staff_id BIGINT       NOT NULL CHECK (staff_id > 0),
  PRIMARY KEY (channel, external),
  INDEX user_staff_identities_staff (staff_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
