-- Who made which version of the rules, and why; and what inviters get of a line.

-- +goose Up
ALTER TABLE rebate_rules
  ADD COLUMN replaces BIGINT NULL, -- the version before; of two that replace the same one, one is refused
  ADD COLUMN staff TINYINT NOT NULL DEFAULT 0 CHECK (staff IN (0, 1)),
  ADD COLUMN actor VARCHAR(191) NOT NULL DEFAULT '',
  ADD COLUMN reason VARCHAR(600) NOT NULL DEFAULT '',
  ADD UNIQUE INDEX rebate_rules_replaces (replaces);

ALTER TABLE rebates ADD COLUMN cuts VARCHAR(191) NOT NULL DEFAULT ''; -- '' for none
