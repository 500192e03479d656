-- Order lines, the rows they were read from, and where reading stands.

-- +goose Up
CREATE TABLE order_lines (
  id         INTEGER PRIMARY KEY,
  network    TEXT    NOT NULL,
  account    TEXT    NOT NULL,
  line_no    TEXT    NOT NULL,
  rev        INTEGER NOT NULL CHECK (rev > 0),
  order_no   TEXT    NOT NULL, -- of the order row, as are item, tag and settles_on; '' while only a refund came
  item       TEXT    NOT NULL,
  tag        TEXT    NOT NULL,
  settles_on INTEGER NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('unpaid', 'paid', 'received', 'settled', 'invalid')),
  why        TEXT    NOT NULL,
  commission INTEGER NOT NULL,
  price      INTEGER NOT NULL,
  refunded   INTEGER NOT NULL,
  disputed   INTEGER NOT NULL CHECK (disputed IN (0, 1)),
  settled_at INTEGER NOT NULL,
  whole      TEXT    NOT NULL,
  back       TEXT    NOT NULL,
  user_id    INTEGER NOT NULL CHECK (user_id >= 0),
  link_id    INTEGER NOT NULL,
  step       TEXT    NOT NULL,
  evidence   TEXT    NOT NULL,
  promise    TEXT    NOT NULL,
  seen_at    INTEGER NOT NULL,
  UNIQUE (network, account, line_no)
) STRICT;
CREATE INDEX order_lines_order ON order_lines (order_no);
CREATE INDEX order_lines_user ON order_lines (user_id) WHERE user_id > 0;
CREATE INDEX order_lines_open_tag ON order_lines (network, tag) WHERE user_id = 0;
CREATE INDEX order_lines_open_item ON order_lines (network, item) WHERE user_id = 0;
CREATE INDEX order_lines_due ON order_lines (settles_on) WHERE state = 'received' AND settles_on > 0;

CREATE TABLE order_raws (
  id      INTEGER PRIMARY KEY,
  network TEXT    NOT NULL,
  account TEXT    NOT NULL,
  line_no TEXT    NOT NULL,
  aspect  TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  raw     BLOB    NOT NULL
) STRICT;
CREATE INDEX order_raws_line ON order_raws (network, account, line_no);

CREATE TABLE order_quarantine (
  id          INTEGER PRIMARY KEY,
  fingerprint TEXT    NOT NULL UNIQUE, -- of the key and the row
  network     TEXT    NOT NULL,
  account     TEXT    NOT NULL,
  line_no     TEXT    NOT NULL,
  raw         BLOB    NOT NULL,
  error       TEXT    NOT NULL,
  at          INTEGER NOT NULL
) STRICT;

CREATE TABLE order_progress (
  network       TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  scene         TEXT    NOT NULL,
  rung          TEXT    NOT NULL,
  done_at       INTEGER NOT NULL,
  to_at         INTEGER NOT NULL,
  page_cursor   TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  failing_since INTEGER NOT NULL,
  fails         INTEGER NOT NULL CHECK (fails >= 0),
  error         TEXT    NOT NULL,
  fence         INTEGER NOT NULL,
  PRIMARY KEY (network, account, scene, rung)
) STRICT;
