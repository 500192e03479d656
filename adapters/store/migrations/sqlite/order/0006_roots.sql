-- The number of an order as it was placed, which all that a network splits it into
-- share: whose one part is, another may be. Order numbers themselves are only asked
-- for where they are another.

-- +goose Up
ALTER TABLE order_lines ADD COLUMN root_no TEXT NOT NULL DEFAULT '';
UPDATE order_lines SET root_no = order_no;
DROP INDEX order_lines_order;
CREATE INDEX order_lines_root ON order_lines (root_no);
CREATE INDEX order_lines_part ON order_lines (order_no) WHERE root_no <> order_no;
