-- The number of an order as it was placed, which all that a network splits it into
-- share: whose one part is, another may be.

-- +goose Up
ALTER TABLE order_lines ADD COLUMN root_no VARCHAR(191) NOT NULL DEFAULT '' AFTER order_no, ADD INDEX order_lines_root (root_no);
UPDATE order_lines SET root_no = order_no WHERE root_no = '';
