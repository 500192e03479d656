-- The trace in which a message was written, for those who look at traces.

-- +goose Up
ALTER TABLE notification_outbox ADD COLUMN trace TEXT NOT NULL DEFAULT '';
ALTER TABLE notification_messages ADD COLUMN trace TEXT NOT NULL DEFAULT '';
