-- The trace in which an event was said, for those who look at traces.

-- +goose Up
ALTER TABLE bot_outbox ADD COLUMN trace TEXT NOT NULL DEFAULT '';
