-- Which accounts are one person's, as the user target has said.

-- +goose Up
CREATE TABLE order_merges (
  id       INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
  absorbed INTEGER NOT NULL CHECK (absorbed > 0),
  survivor INTEGER NOT NULL CHECK (survivor > 0),
  linked   INTEGER NOT NULL CHECK (linked IN (0, 1)),
  rev      INTEGER NOT NULL CHECK (rev > 0),
  CHECK (survivor < absorbed)
) STRICT;
CREATE INDEX order_merges_absorbed ON order_merges (absorbed, linked);
CREATE INDEX order_merges_survivor ON order_merges (survivor, linked);
