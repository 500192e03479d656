-- What merges of two accounts have moved from one to the other, and back.

-- +goose Up
CREATE TABLE payment_merges (
  id              INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
  absorbed        INTEGER NOT NULL CHECK (absorbed > 0),
  survivor        INTEGER NOT NULL CHECK (survivor > 0),
  linked          INTEGER NOT NULL CHECK (linked IN (0, 1)), -- all money is the survivor's
  stage           TEXT    NOT NULL CHECK (stage IN ('moved', 'refused', 'returned')),
  rev             INTEGER NOT NULL CHECK (rev > 0), -- of the merge that was answered last
  reason          TEXT    NOT NULL,
  pending         INTEGER NOT NULL CHECK (pending >= 0),
  available       INTEGER NOT NULL CHECK (available >= 0),
  debt            INTEGER NOT NULL CHECK (debt >= 0),
  repaid          INTEGER NOT NULL CHECK (repaid >= 0),
  lines_pending   INTEGER NOT NULL, -- booked for the absorbed accounts' lines then
  lines_available INTEGER NOT NULL,
  back_pending    INTEGER NOT NULL,
  back_net        INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  mark            TEXT    NOT NULL,
  CHECK (survivor < absorbed)
) STRICT;
CREATE INDEX payment_merges_absorbed ON payment_merges (absorbed, linked);
CREATE INDEX payment_merges_survivor ON payment_merges (survivor, linked);

-- What is booked for an account's lines is added up when it is merged.
CREATE INDEX payment_booked_user ON payment_booked (user_id);
CREATE INDEX payment_parts_user1 ON payment_parts (user1);
CREATE INDEX payment_parts_user2 ON payment_parts (user2);

-- +goose StatementBegin
CREATE TRIGGER payment_merges_unchanged BEFORE UPDATE ON payment_merges
WHEN NEW.id <> OLD.id OR NEW.absorbed <> OLD.absorbed OR NEW.survivor <> OLD.survivor OR NEW.pending <> OLD.pending
  OR NEW.available <> OLD.available OR NEW.debt <> OLD.debt OR NEW.repaid <> OLD.repaid OR OLD.stage <> NEW.stage AND OLD.stage <> 'moved'
BEGIN
  SELECT RAISE(ABORT, 'what a merge has moved is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER payment_merges_kept BEFORE DELETE ON payment_merges
BEGIN
  SELECT RAISE(ABORT, 'a merge is never deleted');
END;
-- +goose StatementEnd
