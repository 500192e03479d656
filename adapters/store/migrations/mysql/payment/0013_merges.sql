-- What merges of two accounts have moved from one to the other, and back.

-- +goose Up
CREATE TABLE payment_merges (
  id              BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
  absorbed        BIGINT NOT NULL CHECK (absorbed > 0),
  survivor        BIGINT NOT NULL CHECK (survivor > 0),
  linked          BIGINT NOT NULL CHECK (linked IN (0, 1)), -- all money is the survivor's
  stage           VARCHAR(32)    NOT NULL CHECK (stage IN ('moved', 'refused', 'returned')),
  rev             BIGINT NOT NULL CHECK (rev > 0), -- of the merge that was answered last
  reason          VARCHAR(191)    NOT NULL,
  pending         BIGINT NOT NULL CHECK (pending >= 0),
  available       BIGINT NOT NULL CHECK (available >= 0),
  debt            BIGINT NOT NULL CHECK (debt >= 0),
  repaid          BIGINT NOT NULL CHECK (repaid >= 0),
  lines_pending   BIGINT NOT NULL, -- booked for the absorbed accounts' lines then
  lines_available BIGINT NOT NULL,
  back_pending    BIGINT NOT NULL,
  back_net        BIGINT NOT NULL,
  at              BIGINT NOT NULL,
  mark            VARCHAR(191)    NOT NULL,
  CHECK (survivor < absorbed)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE INDEX payment_merges_absorbed ON payment_merges (absorbed, linked);
CREATE INDEX payment_merges_survivor ON payment_merges (survivor, linked);

-- What is booked for an account's lines is added up when it is merged.
CREATE INDEX payment_booked_user ON payment_booked (user_id);
CREATE INDEX payment_parts_user1 ON payment_parts (user1);
CREATE INDEX payment_parts_user2 ON payment_parts (user2);

-- +goose StatementBegin
CREATE TRIGGER payment_merges_unchanged BEFORE UPDATE ON payment_merges FOR EACH ROW
BEGIN
  IF NEW.id <> OLD.id OR NEW.absorbed <> OLD.absorbed OR NEW.survivor <> OLD.survivor OR NEW.pending <> OLD.pending
    OR NEW.available <> OLD.available OR NEW.debt <> OLD.debt OR NEW.repaid <> OLD.repaid OR OLD.stage <> NEW.stage AND OLD.stage <> 'moved' THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a merge has moved is never changed';
  END IF;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_merges_kept BEFORE DELETE ON payment_merges FOR EACH ROW
BEGIN
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a merge is never deleted';
END;
-- +goose StatementEnd
