package webhook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
)

// A Staff is who decides something about a hook, and why. It enters the record of
// acts.
type Staff struct {
	By, Reason string
}

// Hooks returns all hooks, by id.
func (d *Desk) Hooks(ctx context.Context) ([]Hook, error) { return d.Store.Hooks(ctx) }

// Log returns the newest deliveries of a hook.
func (d *Desk) Log(ctx context.Context, hook int64, count int) ([]Delivery, error) {
	return d.Store.Newest(ctx, hook, count)
}

// Tries returns the newest tries of a delivery.
func (d *Desk) Tries(ctx context.Context, delivery int64, count int) ([]Try, error) {
	return d.Store.Tries(ctx, delivery, count)
}

// Add makes a hook, of which name, client, address and events are given, with a new
// secret. It fails with fault.Invalid for one that makes no sense, with fault.Conflict
// where the name is taken and with fault.Limited where there are too many.
func (d *Desk) Add(ctx context.Context, h Hook, s Staff) (Hook, error) {
	h = Hook{Name: h.Name, Client: h.Client, URL: h.URL, Events: h.Events, State: Active, Made: d.Now(), Secret: NewSecret()}
	if err := h.validate(d.AllowPrivate); err != nil {
		return Hook{}, err
	}
	err := d.Store.InTx(ctx, func(tx Tx) error {
		hooks, err := tx.Hooks()
		if err != nil {
			return err
		}
		if len(hooks) >= hooksMax {
			return fault.Newf(fault.Limited, "webhook.bad", "there are %d hooks already", hooksMax)
		}
		if h.ID, err = tx.Insert(h); err != nil {
			return err
		}
		return d.say(tx, h, "add", s, "", "to "+h.Host()+" of "+clientOf(h)+": "+strings.Trim(fmt.Sprint(h.Events), "[]"))
	})
	return h, fault.In("webhook.Add", err)
}

func clientOf(h Hook) string {
	if h.Client == "" {
		return "everybody"
	}
	return h.Client
}

// Pause stops posting to a hook. What is heard meanwhile waits.
func (d *Desk) Pause(ctx context.Context, id int64, s Staff) (Hook, error) {
	return d.change(ctx, id, "pause", s, func(h *Hook) { h.State, h.Why = Paused, "" })
}

// Resume posts again to a hook that was paused or went off, at once.
func (d *Desk) Resume(ctx context.Context, id int64, s Staff) (Hook, error) {
	return d.change(ctx, id, "resume", s, func(h *Hook) {
		h.State, h.Why, h.Fails, h.Failing, h.Rest = Active, "", 0, time.Time{}, time.Time{}
	})
}

// Rotate gives a hook a new secret. The one before signs, too, for [overlap]; one
// that was older does no more.
func (d *Desk) Rotate(ctx context.Context, id int64, s Staff) (Hook, error) {
	return d.change(ctx, id, "rotate", s, func(h *Hook) {
		h.OldSecret, h.OldUntil, h.Secret = h.Secret, d.Now().Add(overlap), NewSecret()
	})
}

// change changes one hook. It fails with fault.NotFound if there is none.
func (d *Desk) change(ctx context.Context, id int64, verb string, s Staff, edit func(*Hook)) (h Hook, err error) {
	err = d.Store.InTx(ctx, func(tx Tx) error {
		if h, err = d.hook(tx, id); err != nil {
			return err
		}
		before := h.State
		edit(&h)
		if err := tx.Update(h); err != nil {
			return err
		}
		return d.say(tx, h, verb, s, string(before), string(h.State))
	})
	return h, fault.In("webhook."+verb, err)
}

// hook returns one hook.
func (d *Desk) hook(tx Tx, id int64) (Hook, error) {
	hooks, err := tx.Hooks()
	if err != nil {
		return Hook{}, err
	}
	h, ok := find(hooks, id)
	if !ok {
		return Hook{}, fault.New(fault.NotFound, "webhook.none")
	}
	return h, nil
}

// Remove forgets a hook and everything that was for it.
func (d *Desk) Remove(ctx context.Context, id int64, s Staff) error {
	return fault.In("webhook.Remove", d.Store.InTx(ctx, func(tx Tx) error {
		h, err := d.hook(tx, id)
		if err != nil {
			return err
		}
		if err := tx.Remove(id); err != nil {
			return err
		}
		return d.say(tx, h, "remove", s, string(h.State), "removed")
	}))
}

// Retry lets a delivery be tried from the beginning, whatever became of it: receivers
// know its id. It fails with fault.NotFound if there is none.
func (d *Desk) Retry(ctx context.Context, delivery int64, s Staff) error {
	return fault.In("webhook.Retry", d.Store.InTx(ctx, func(tx Tx) error {
		v, err := tx.Delivery(delivery)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "webhook.none")
		}
		if err != nil {
			return err
		}
		h, err := d.hook(tx, v.Hook)
		if err != nil {
			return err
		}
		was, tries := v.Stage, v.Tries
		v.Stage, v.Tries, v.Next = Waiting, 0, d.Now()
		if ok, err := tx.Swap(v, was, tries); err != nil || !ok {
			return err
		}
		return d.say(tx, h, "retry", s, string(was), fmt.Sprintf("%s %s", v.Stage, v.Message))
	}))
}

// Ping posts a test to a hook now, whatever its state, and returns what came of it.
// Nothing of it is repeated.
func (d *Desk) Ping(ctx context.Context, id int64, s Staff) (Try, error) {
	var h Hook
	var v Delivery
	err := d.Store.InTx(ctx, func(tx Tx) (err error) {
		if h, err = d.hook(tx, id); err != nil {
			return err
		}
		now := d.Now()
		e := event.Event{ID: fmt.Sprintf("test/%d/%d", id, now.UnixMilli()), Name: Test, At: now}
		v = Delivery{Hook: id, Event: e.ID, Message: messageID(id, e.ID), Name: Test, At: now, Stage: Dead, Tries: triesMax}
		if v.Body, err = write(h, v.Message, Test, now, nil, nil); err != nil {
			return err
		}
		if v.ID, err = tx.Add(v); err != nil {
			return err
		}
		if v.ID == 0 {
			return fault.Newf(fault.Limited, "webhook.bad", "somebody else tests it at this moment")
		}
		return d.say(tx, h, "test", s, string(h.State), v.Message)
	})
	if err != nil {
		return Try{}, fault.In("webhook.Ping", err)
	}
	return d.try(ctx, h, v)
}

// say tells the record of acts.
func (d *Desk) say(tx Tx, h Hook, verb string, s Staff, before, after string) error {
	now := d.Now()
	what := "webhook." + verb
	e, err := audit.Say(fmt.Sprintf("%s/%d/%d", what, h.ID, now.UnixNano()), now, audit.Act{
		Actor: s.By, What: what, On: fmt.Sprintf("webhook/%d/%s", h.ID, h.Name), Reason: s.Reason, Before: before, After: after,
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}
