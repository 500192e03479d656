-- Who made which version of the rules, and why; and what inviters get of a line.

-- +goose Up
ALTER TABLE rebate_rules ADD COLUMN replaces INTEGER; -- the version before; of two that replace the same one, one is refused
ALTER TABLE rebate_rules ADD COLUMN staff INTEGER NOT NULL DEFAULT 0 CHECK (staff IN (0, 1));
ALTER TABLE rebate_rules ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE rebate_rules ADD COLUMN reason TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX rebate_rules_replaces ON rebate_rules (replaces);

ALTER TABLE rebates ADD COLUMN cuts TEXT NOT NULL DEFAULT ''; -- '' for none
