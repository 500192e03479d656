-- What staff were asked to confirm, and what they were told unasked.

-- +goose Up
CREATE TABLE bot_acts (
  id       INTEGER PRIMARY KEY,
  act_key  TEXT    NOT NULL UNIQUE CHECK (act_key <> ''),
  place    TEXT    NOT NULL,
  staff_id INTEGER NOT NULL CHECK (staff_id > 0), -- who confirms next, or did
  first_id INTEGER NOT NULL CHECK (first_id >= 0),
  stage    TEXT    NOT NULL CHECK (stage IN ('asked', 'half', 'doing', 'done', 'dropped')),
  code     TEXT    NOT NULL,
  tries    INTEGER NOT NULL,
  four     INTEGER NOT NULL CHECK (four IN (0, 1)),
  act      TEXT    NOT NULL,
  preview  TEXT    NOT NULL,
  result   TEXT    NOT NULL,
  rev      INTEGER NOT NULL CHECK (rev > 0),
  until_at INTEGER NOT NULL,
  CHECK (first_id <> staff_id OR stage = 'half' OR first_id = 0) -- nobody is their own second
) STRICT;
CREATE INDEX bot_acts_staff ON bot_acts (staff_id, until_at);

CREATE TABLE bot_alerts (
  alert_key TEXT    NOT NULL,
  sink      TEXT    NOT NULL,
  told_at   INTEGER NOT NULL,
  PRIMARY KEY (alert_key, sink)
) STRICT, WITHOUT ROWID;
