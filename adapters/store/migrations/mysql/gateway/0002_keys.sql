-- Who may ask from outside. Of a key there is a keyed hash; the key itself is nowhere.

-- +goose Up
CREATE TABLE gateway_keys (
  id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name       VARCHAR(191) NOT NULL UNIQUE CHECK (name <> ''),
  hash       VARCHAR(191) NOT NULL CHECK (hash <> ''),
  client     VARCHAR(191) NOT NULL CHECK (client <> ''),
  user_id    BIGINT NOT NULL CHECK (user_id >= 0), -- 0: the client's users
  scopes     MEDIUMTEXT NOT NULL CHECK (scopes <> ''),
  addresses  MEDIUMTEXT NOT NULL,
  made_at    BIGINT NOT NULL,
  ends_at    BIGINT NOT NULL, -- 0: never
  revoked_at BIGINT NOT NULL DEFAULT 0,
  used_at    BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose StatementBegin
CREATE TRIGGER gateway_keys_fixed BEFORE UPDATE ON gateway_keys FOR EACH ROW
BEGIN
  IF NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.hash <> OLD.hash OR NEW.client <> OLD.client OR NEW.user_id <> OLD.user_id
    OR NEW.scopes <> OLD.scopes OR NEW.addresses <> OLD.addresses OR NEW.made_at <> OLD.made_at OR NEW.ends_at <> OLD.ends_at THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a key opens is never changed';
  END IF;
  IF OLD.revoked_at > 0 AND NEW.revoked_at <> OLD.revoked_at THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a key that was revoked stays so';
  END IF;
END;
-- +goose StatementEnd
