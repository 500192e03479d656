-- A keyed hash of each payout account finds users who share one, without showing
-- it. One that is stored already gets its hash when it is stored again.

-- +goose Up
ALTER TABLE user_payees ADD COLUMN print TEXT NOT NULL DEFAULT '';
CREATE INDEX user_payees_print ON user_payees (print);
