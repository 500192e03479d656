-- What is held until the end of quiet hours, what goes before that, and why something was
-- not told.

-- +goose Up
ALTER TABLE notification_messages ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0; -- 1: it belongs to no topic
ALTER TABLE notification_messages ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notification_messages ADD COLUMN reason TEXT NOT NULL DEFAULT '';
CREATE INDEX notification_messages_held ON notification_messages (user_id) WHERE state = 'waiting' AND held = 1;
CREATE INDEX notification_messages_untold ON notification_messages (id) WHERE state = 'given_up';
