-- Which accounts are one person's, and the codes that make them so.

-- +goose Up
CREATE TABLE user_merges (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- a cause in the ledger: never used again
  absorbed   BIGINT NOT NULL CHECK (absorbed > 0),
  survivor   BIGINT NOT NULL CHECK (survivor > 0),
  stage      VARCHAR(32)    NOT NULL CHECK (stage IN ('begun', 'moved', 'done', 'refused', 'undoing', 'returned', 'undone')),
  linked     BIGINT NOT NULL CHECK (linked IN (0, 1)), -- the one points to the other
  busy       BIGINT NOT NULL CHECK (busy IN (0, 1)), -- somebody has something left to do
  rev        BIGINT NOT NULL CHECK (rev > 0),
  reason     VARCHAR(191)    NOT NULL,
  actor      VARCHAR(191)    NOT NULL,
  note       MEDIUMTEXT    NOT NULL,
  at         BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CHECK (survivor < absorbed)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX user_merges_absorbed ON user_merges (absorbed, linked);
CREATE INDEX user_merges_survivor ON user_merges (survivor, linked);
CREATE INDEX user_merges_busy ON user_merges (busy, changed_at);

CREATE TABLE user_linkcodes (
  user_id  BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0), -- the newest counts
  hash     VARCHAR(191)    NOT NULL UNIQUE CHECK (hash <> ''), -- keyed
  until_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE user_guesses (
  user_id  BIGINT NOT NULL PRIMARY KEY CHECK (user_id > 0),
  wrong    BIGINT NOT NULL CHECK (wrong >= 0),
  since_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
