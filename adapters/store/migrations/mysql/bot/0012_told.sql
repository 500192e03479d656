-- What has become of what staff were told: what it is about, since when, whether its
-- target still says it.

-- +goose Up
ALTER TABLE bot_alerts ADD COLUMN what VARCHAR(191) NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN station VARCHAR(191) NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN title VARCHAR(191) NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN about VARCHAR(191) NOT NULL DEFAULT '';
ALTER TABLE bot_alerts ADD COLUMN first_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bot_alerts ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0; -- 0: it lasts
ALTER TABLE bot_alerts ADD COLUMN rev BIGINT NOT NULL DEFAULT 1;
