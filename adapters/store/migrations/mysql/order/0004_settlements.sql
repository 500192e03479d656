-- Lines by when they settled, for reconciliation and the closing of months.

-- +goose Up
CREATE INDEX order_lines_settled ON order_lines (settled_at);
