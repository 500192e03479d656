-- Which accounts are one person's, and the codes that make them so.

-- +goose Up
CREATE TABLE user_merges (
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- a cause in the ledger: never used again
  absorbed   INTEGER NOT NULL CHECK (absorbed > 0),
  survivor   INTEGER NOT NULL CHECK (survivor > 0),
  stage      TEXT    NOT NULL CHECK (stage IN ('begun', 'moved', 'done', 'refused', 'undoing', 'returned', 'undone')),
  linked     INTEGER NOT NULL CHECK (linked IN (0, 1)), -- the one points to the other
  busy       INTEGER NOT NULL CHECK (busy IN (0, 1)), -- somebody has something left to do
  rev        INTEGER NOT NULL CHECK (rev > 0),
  reason     TEXT    NOT NULL,
  actor      TEXT    NOT NULL,
  note       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CHECK (survivor < absorbed)
) STRICT;
CREATE INDEX user_merges_absorbed ON user_merges (absorbed, linked);
CREATE INDEX user_merges_survivor ON user_merges (survivor, linked);
CREATE INDEX user_merges_busy ON user_merges (busy, changed_at);

CREATE TABLE user_linkcodes (
  user_id  INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0), -- the newest counts
  hash     TEXT    NOT NULL UNIQUE CHECK (hash <> ''), -- keyed
  until_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_guesses (
  user_id  INTEGER NOT NULL PRIMARY KEY CHECK (user_id > 0),
  wrong    INTEGER NOT NULL CHECK (wrong >= 0),
  since_at INTEGER NOT NULL
) STRICT;
