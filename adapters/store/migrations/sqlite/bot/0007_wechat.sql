-- What WeChat lets us send to whom, what waits until they write, and which way answers went.

-- +goose Up
CREATE TABLE bot_wechat_followers (
  openid TEXT    NOT NULL PRIMARY KEY CHECK (openid <> ''),
  state  BLOB    NOT NULL, -- sealed
  rev    INTEGER NOT NULL CHECK (rev > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE bot_wechat_parked (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  openid   TEXT    NOT NULL CHECK (openid <> ''),
  park_key TEXT    NOT NULL UNIQUE CHECK (park_key <> ''),
  body     BLOB    NOT NULL, -- sealed
  told     TEXT    NOT NULL, -- the message with whose answer it went; '': it waits
  at       INTEGER NOT NULL
) STRICT;
CREATE INDEX bot_wechat_parked_person ON bot_wechat_parked (openid, told, id);
CREATE INDEX bot_wechat_parked_at ON bot_wechat_parked (at);

CREATE TABLE bot_wechat_ways (
  message_id TEXT    NOT NULL PRIMARY KEY CHECK (message_id <> ''),
  way        TEXT    NOT NULL CHECK (way <> ''),
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bot_wechat_ways_at ON bot_wechat_ways (at);
