-- What has become of what staff were told: what it is about, since when, whether its
-- target still says it.

-- +goose Up
ALTER TABLE bot_alerts ADD COLUMN what TEXT NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN station TEXT NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN first_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bot_alerts ADD COLUMN gone_at INTEGER NOT NULL DEFAULT 0; -- 0: it lasts
ALTER TABLE bot_alerts ADD COLUMN rev INTEGER NOT NULL DEFAULT 1;
