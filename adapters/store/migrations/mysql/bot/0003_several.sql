-- What several processes need to talk with the same people.

-- +goose Up
ALTER TABLE bot_dialogues ADD COLUMN rev BIGINT NOT NULL DEFAULT 1; -- grows with every change
ALTER TABLE bot_marks ADD COLUMN token BIGINT NOT NULL DEFAULT 0; -- of the lease under which it was set; 0: of none
ALTER TABLE bot_chats
  ADD COLUMN asked VARCHAR(191) NULL, -- the message that this is, or answers; NULL: neither, or older than this column
  ADD COLUMN answer TINYINT NOT NULL DEFAULT 0 CHECK (answer IN (0, 1));
CREATE UNIQUE INDEX bot_chats_once ON bot_chats (chat, asked, answer);
CREATE INDEX bot_chats_at ON bot_chats (at);
