-- What is held until the end of quiet hours, what goes before that, and why something was
-- not told.

-- +goose Up
ALTER TABLE notification_messages ADD COLUMN urgent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notification_messages ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notification_messages ADD COLUMN reason VARCHAR(191) NOT NULL DEFAULT '';
CREATE INDEX notification_messages_held ON notification_messages (held, state, user_id);
CREATE INDEX notification_messages_untold ON notification_messages (state, id);
