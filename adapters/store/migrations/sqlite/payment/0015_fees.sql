-- What a collector has kept of what was accepted, as its bill says; below zero what it
-- has given back.

-- +goose Up
ALTER TABLE payment_accepted ADD COLUMN fee INTEGER NOT NULL DEFAULT 0;
