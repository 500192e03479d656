-- What staff have done, as a chain of hashes. Acts are never changed or deleted.

-- +goose Up
CREATE TABLE payment_acts (
  id        INTEGER PRIMARY KEY, -- from 1 without gaps; not given by the database
  at        INTEGER NOT NULL,
  actor     TEXT    NOT NULL CHECK (actor <> ''),
  role      TEXT    NOT NULL,
  what      TEXT    NOT NULL CHECK (what <> ''),
  subject   TEXT    NOT NULL CHECK (subject <> ''),
  reason    TEXT    NOT NULL,
  was       TEXT    NOT NULL,
  became    TEXT    NOT NULL,
  trace     TEXT    NOT NULL,
  hash      TEXT    NOT NULL UNIQUE
) STRICT;
CREATE INDEX payment_acts_actor ON payment_acts (actor);
CREATE INDEX payment_acts_what ON payment_acts (what);
CREATE INDEX payment_acts_subject ON payment_acts (subject);
CREATE INDEX payment_acts_at ON payment_acts (at);

CREATE TABLE payment_acts_end (
  id   INTEGER PRIMARY KEY CHECK (id = 1), -- one row, locked by whoever adds an act
  last INTEGER NOT NULL CHECK (last >= 0),
  hash TEXT    NOT NULL
) STRICT;
INSERT INTO payment_acts_end (id, last, hash) VALUES (1, 0, '');

-- +goose StatementBegin
CREATE TRIGGER payment_acts_unchanged BEFORE UPDATE ON payment_acts
BEGIN
  SELECT RAISE(ABORT, 'an act of staff is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_acts_kept BEFORE DELETE ON payment_acts
BEGIN
  SELECT RAISE(ABORT, 'an act of staff is never deleted');
END;
-- +goose StatementEnd
