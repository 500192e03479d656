-- Who may ask from outside. Of a key there is a keyed hash; the key itself is nowhere.

-- +goose Up
CREATE TABLE gateway_keys (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL UNIQUE CHECK (name <> ''),
  hash       TEXT    NOT NULL CHECK (hash <> ''),
  client     TEXT    NOT NULL CHECK (client <> ''),
  user_id    INTEGER NOT NULL CHECK (user_id >= 0), -- 0: the client's users
  scopes     TEXT    NOT NULL CHECK (scopes <> ''),
  addresses  TEXT    NOT NULL,
  made_at    INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL, -- 0: never
  revoked_at INTEGER NOT NULL DEFAULT 0,
  used_at    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER gateway_keys_fixed BEFORE UPDATE OF id, name, hash, client, user_id, scopes, addresses, made_at, ends_at ON gateway_keys
BEGIN
  SELECT RAISE(ABORT, 'what a key opens is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER gateway_keys_closed BEFORE UPDATE OF revoked_at ON gateway_keys WHEN OLD.revoked_at > 0 AND NEW.revoked_at <> OLD.revoked_at
BEGIN
  SELECT RAISE(ABORT, 'a key that was revoked stays so');
END;
-- +goose StatementEnd
