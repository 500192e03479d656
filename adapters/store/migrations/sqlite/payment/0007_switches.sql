-- What staff has stopped.

-- +goose Up
CREATE TABLE payment_switches (
  scope     TEXT NOT NULL PRIMARY KEY CHECK (scope <> ''),
  is_on     INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  turned_by TEXT NOT NULL CHECK (turned_by <> ''),
  why       TEXT NOT NULL,
  told      TEXT NOT NULL, -- to users; '' for the usual words
  since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
