-- What staff were asked to confirm, and what they were told unasked.

-- +goose Up
CREATE TABLE bot_acts (
  id       BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  act_key  VARCHAR(191) NOT NULL UNIQUE CHECK (act_key <> ''),
  place    VARCHAR(191) NOT NULL,
  staff_id BIGINT       NOT NULL CHECK (staff_id > 0),
  first_id BIGINT       NOT NULL CHECK (first_id >= 0),
  stage    VARCHAR(191) NOT NULL CHECK (stage IN ('asked', 'half', 'doing', 'done', 'dropped')),
  code     VARCHAR(191) NOT NULL,
  tries    BIGINT       NOT NULL,
  four     BIGINT       NOT NULL CHECK (four IN (0, 1)),
  act      MEDIUMTEXT   NOT NULL,
  preview  MEDIUMTEXT   NOT NULL,
  result   MEDIUMTEXT   NOT NULL,
  rev      BIGINT       NOT NULL CHECK (rev > 0),
  until_at BIGINT       NOT NULL,
  CHECK (first_id <> staff_id OR stage = 'half' OR first_id = 0),
  INDEX bot_acts_staff (staff_id, until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bot_alerts (
  alert_key VARCHAR(191) NOT NULL,
  sink      VARCHAR(191) NOT NULL,
  told_at   BIGINT       NOT NULL,
  PRIMARY KEY (alert_key, sink)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
