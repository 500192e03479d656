-- What others' books say, held against ours; and the months that are closed.

-- +goose Up
CREATE TABLE payment_comparisons (
  id      INTEGER PRIMARY KEY,
  subject TEXT    NOT NULL CHECK (subject <> ''),
  period  TEXT    NOT NULL CHECK (period <> ''),
  at      INTEGER NOT NULL,
  hash    TEXT    NOT NULL,
  counted INTEGER NOT NULL CHECK (counted >= 0), -- rows of the other book
  counts  TEXT    NOT NULL,                      -- by kind, JSON
  strays  INTEGER NOT NULL CHECK (strays >= 0),
  theirs  INTEGER NOT NULL,
  matched INTEGER NOT NULL,
  ours    INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_comparisons_period ON payment_comparisons (period, subject); -- and id

CREATE TABLE payment_findings (
  id            INTEGER PRIMARY KEY,
  comparison_id INTEGER NOT NULL CHECK (comparison_id > 0),
  kind          TEXT    NOT NULL CHECK (kind IN ('differs', 'missing-here', 'missing-there', 'twice', 'unreadable')),
  item          TEXT    NOT NULL, -- the line's or payout's key
  line_no       INTEGER NOT NULL CHECK (line_no >= 0), -- in the file
  words         TEXT    NOT NULL,
  raw           TEXT    NOT NULL  -- the row, if it could not be read
) STRICT;
CREATE INDEX payment_findings_comparison ON payment_findings (comparison_id);

CREATE TABLE payment_accepted (
  subject  TEXT    NOT NULL CHECK (subject <> ''),
  item     TEXT    NOT NULL CHECK (item <> ''),
  period   TEXT    NOT NULL CHECK (period <> ''),
  amount   INTEGER NOT NULL,
  rev      INTEGER NOT NULL CHECK (rev > 0),
  at       INTEGER NOT NULL,
  PRIMARY KEY (subject, item, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_frozen (
  subject  TEXT    NOT NULL CHECK (subject <> ''),
  item     TEXT    NOT NULL CHECK (item <> ''),
  network  TEXT    NOT NULL,
  account  TEXT    NOT NULL,
  month    TEXT    NOT NULL CHECK (month <> ''),
  booked   INTEGER NOT NULL, -- when the month was closed
  adjusted INTEGER NOT NULL,
  rev      INTEGER NOT NULL CHECK (rev >= 0),
  PRIMARY KEY (subject, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_months (
  month         TEXT    NOT NULL PRIMARY KEY CHECK (month <> ''),
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL CHECK (actor <> ''),
  reason        TEXT    NOT NULL,
  differences   INTEGER NOT NULL CHECK (differences >= 0),
  report        TEXT    NOT NULL CHECK (report <> ''),
  hash          TEXT    NOT NULL UNIQUE CHECK (hash <> ''),
  previous_hash TEXT    NOT NULL UNIQUE, -- two months cannot follow one
  CHECK (differences = 0 OR reason <> '')
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER payment_months_unchanged BEFORE UPDATE ON payment_months
BEGIN
  SELECT RAISE(ABORT, 'a closed month is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_months_kept BEFORE DELETE ON payment_months
BEGIN
  SELECT RAISE(ABORT, 'a closed month is never deleted');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_accepted_kept BEFORE DELETE ON payment_accepted
BEGIN
  SELECT RAISE(ABORT, 'what was accepted is never deleted');
END;
-- +goose StatementEnd
