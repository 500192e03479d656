-- Links and what the bot remembers of its conversations.

-- +goose Up
CREATE TABLE bot_links (
  id           INTEGER PRIMARY KEY,
  user_id      INTEGER NOT NULL CHECK (user_id > 0),
  network      TEXT    NOT NULL,
  item         TEXT    NOT NULL,
  title        TEXT    NOT NULL,
  tag          TEXT    NOT NULL UNIQUE CHECK (tag <> ''),
  slot         TEXT    NOT NULL,
  made_url     TEXT    NOT NULL,
  made_token   TEXT    NOT NULL,
  made_expires INTEGER NOT NULL,
  offer        TEXT    NOT NULL,
  promise      TEXT    NOT NULL,
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX bot_links_user ON bot_links (user_id, network, item, at);
CREATE INDEX bot_links_item ON bot_links (network, item, at);

CREATE TABLE bot_answers (
  channel    TEXT    NOT NULL,
  message_id TEXT    NOT NULL,
  answer     BLOB    NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (channel, message_id)
) STRICT;

CREATE TABLE bot_dialogues (
  user_id INTEGER NOT NULL PRIMARY KEY,
  state   BLOB    NOT NULL
) STRICT;

CREATE TABLE bot_marks (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bot_chats (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  chat TEXT    NOT NULL,
  body BLOB    NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
CREATE INDEX bot_chats_chat ON bot_chats (chat);
