-- A keyed hash of each payout account finds users who share one, without showing
-- it. One that is stored already gets its hash when it is stored again.

-- +goose Up
ALTER TABLE user_payees ADD COLUMN print VARCHAR(191) NOT NULL DEFAULT '', ADD INDEX user_payees_print (print);
