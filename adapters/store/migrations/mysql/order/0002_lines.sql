-- Order lines, the rows they were read from, and where reading stands.

-- +goose Up
CREATE TABLE order_lines (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network    VARCHAR(191) NOT NULL,
  account    VARCHAR(191) NOT NULL,
  line_no    VARCHAR(191) NOT NULL,
  rev        BIGINT NOT NULL CHECK (rev > 0),
  order_no   VARCHAR(191) NOT NULL, -- of the order row, as are item, tag and settles_on; '' while only a refund came
  item       VARCHAR(191) NOT NULL,
  tag        VARCHAR(191) NOT NULL,
  settles_on BIGINT NOT NULL,
  state      VARCHAR(191) NOT NULL CHECK (state IN ('unpaid', 'paid', 'received', 'settled', 'invalid')),
  why        MEDIUMTEXT NOT NULL,
  commission BIGINT NOT NULL,
  price      BIGINT NOT NULL,
  refunded   BIGINT NOT NULL,
  disputed   BIGINT NOT NULL CHECK (disputed IN (0, 1)),
  settled_at BIGINT NOT NULL,
  whole      MEDIUMTEXT NOT NULL,
  back       MEDIUMTEXT NOT NULL,
  user_id    BIGINT NOT NULL CHECK (user_id >= 0),
  link_id    BIGINT NOT NULL,
  step       VARCHAR(191) NOT NULL,
  evidence   MEDIUMTEXT NOT NULL,
  promise    MEDIUMTEXT NOT NULL,
  seen_at    BIGINT NOT NULL,
  UNIQUE (network, account, line_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_lines_order ON order_lines (order_no);
CREATE INDEX order_lines_user ON order_lines (user_id);
CREATE INDEX order_lines_open_tag ON order_lines (user_id, network, tag);
CREATE INDEX order_lines_open_item ON order_lines (user_id, network, item);
CREATE INDEX order_lines_due ON order_lines (state, settles_on);

CREATE TABLE order_raws (
  id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network VARCHAR(191) NOT NULL,
  account VARCHAR(191) NOT NULL,
  line_no VARCHAR(191) NOT NULL,
  aspect  VARCHAR(191) NOT NULL,
  at      BIGINT NOT NULL,
  raw     LONGBLOB NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_raws_line ON order_raws (network, account, line_no);

CREATE TABLE order_quarantine (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  fingerprint VARCHAR(191) NOT NULL UNIQUE, -- of the key and the row
  network     VARCHAR(191) NOT NULL,
  account     VARCHAR(191) NOT NULL,
  line_no     VARCHAR(191) NOT NULL,
  raw         LONGBLOB NOT NULL,
  error       MEDIUMTEXT NOT NULL,
  at          BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE order_progress (
  network       VARCHAR(191) NOT NULL,
  account       VARCHAR(191) NOT NULL,
  scene         VARCHAR(191) NOT NULL,
  rung          VARCHAR(191) NOT NULL,
  done_at       BIGINT NOT NULL,
  to_at         BIGINT NOT NULL,
  page_cursor   MEDIUMTEXT NOT NULL,
  at            BIGINT NOT NULL,
  failing_since BIGINT NOT NULL,
  fails         BIGINT NOT NULL CHECK (fails >= 0),
  error         MEDIUMTEXT NOT NULL,
  fence         BIGINT NOT NULL,
  PRIMARY KEY (network, account, scene, rung)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
