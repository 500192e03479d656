-- Which accounts are one person's, as the user target has said.

-- +goose Up
CREATE TABLE order_merges (
  id       BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
  absorbed BIGINT NOT NULL CHECK (absorbed > 0),
  survivor BIGINT NOT NULL CHECK (survivor > 0),
  linked   BIGINT NOT NULL CHECK (linked IN (0, 1)),
  rev      BIGINT NOT NULL CHECK (rev > 0),
  CHECK (survivor < absorbed)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX order_merges_absorbed ON order_merges (absorbed, linked);
CREATE INDEX order_merges_survivor ON order_merges (survivor, linked);
