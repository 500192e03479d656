-- When the money of a charge came and when it went back, as the ledger has it, and
-- under which number: collectors' bills are held against that.

-- +goose Up
ALTER TABLE payment_charges ADD COLUMN taken_at BIGINT NOT NULL DEFAULT 0;           -- 0: nothing has come
ALTER TABLE payment_charges ADD COLUMN returned_at BIGINT NOT NULL DEFAULT 0;        -- 0: nothing has gone back
ALTER TABLE payment_charges ADD COLUMN return_no VARCHAR(191) NOT NULL DEFAULT '';   -- of the refund, once it has left
UPDATE payment_charges SET
  taken_at    = COALESCE((SELECT e.at FROM payment_entries AS e WHERE e.entry_key = CONCAT('charge/', payment_charges.id, '/collect')), 0),
  returned_at = COALESCE((SELECT e.at FROM payment_entries AS e WHERE e.entry_key = CONCAT('charge/', payment_charges.id, '/refund')), 0);
UPDATE payment_charges SET return_no = CONCAT(number, 'R') WHERE returned_at > 0;
CREATE INDEX payment_charges_returns ON payment_charges (collector, return_no);
