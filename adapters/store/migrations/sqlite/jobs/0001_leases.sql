-- +goose Up
CREATE TABLE jobs_leases (
  name     TEXT    NOT NULL PRIMARY KEY,
  holder   TEXT    NOT NULL, -- '' after it was given back
  token    INTEGER NOT NULL CHECK (token > 0),
  until_at INTEGER NOT NULL
) STRICT;
