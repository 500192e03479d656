package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// Limits of delivering. The waits of [waits] grow to a day; together they are more than
// four days.
const (
	triesMax   = 12
	batchMax   = 20               // deliveries to one hook in one run
	sendersMax = 8                // hooks that are posted to at the same time
	restMin    = 5 * time.Second  // a hook is left alone after a failure; it doubles
	restMax    = 10 * time.Minute // up to this
	offAfter   = 5 * 24 * time.Hour
	askedMax   = time.Hour // that an answer may ask us to wait
	overlap    = 24 * time.Hour
	pruneMax   = 200
	excerptMax = 200
)

// waits are the times between the tries of a delivery.
func waits() [triesMax - 1]time.Duration {
	return [...]time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
		15 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	}
}

// A Post is what is sent to an address.
type Post struct {
	URL       string
	ID        string
	Timestamp string
	Signature string
	Body      []byte
}

// An Answer is what came back.
type Answer struct {
	Status  int // 0: none
	Excerpt string
	Took    time.Duration
	Reason  Reason        // there is no answer
	Later   time.Duration // it asks to be left alone for so long; 0: it asks for nothing
}

// A Poster sends. It follows no redirects, and says by the answer's Reason, never by
// a panic or a hang, that none came. It ends when ctx does.
type Poster interface {
	Post(ctx context.Context, p Post) Answer
}

// A Desk is the service that hears and delivers. It is safe for concurrent use.
type Desk struct {
	Store  Store
	Poster Poster
	Now    func() time.Time
	// Timeout bounds one try.
	Timeout time.Duration
	// Keep is how long deliveries and tries are kept.
	Keep time.Duration
	// AllowPrivate lets hooks lead to this machine.
	AllowPrivate bool
	// Wake hears that something is to be delivered. Optional.
	Wake func()
	// Alarm hears that a hook went off by itself. Optional.
	Alarm func(Hook)
}

// UserJoined hears user.joined and remembers whose user it is, if a client's.
func (d *Desk) UserJoined(ctx context.Context, e event.Event) error {
	var j user.Joined
	if err := e.Decode(&j); err != nil {
		return fault.Wrap(fault.Invalid, "webhook.UserJoined", err)
	}
	client, ok := user.ClientOf(j.Channel)
	if !ok {
		return nil
	}
	return d.Store.InTx(ctx, func(tx Tx) error {
		return tx.AddMember(Member{User: j.User, Client: client, External: j.External})
	})
}

// Hear hears everything that hooks can want. Where no hook wants it, nothing is
// written.
func (d *Desk) Hear(ctx context.Context, e event.Event) error {
	name, items, err := news(e)
	if err != nil || len(items) == 0 {
		return err
	}
	hooks, err := d.Store.Hooks(ctx)
	if err != nil {
		return err
	}
	wanted := false
	for _, h := range hooks {
		wanted = wanted || h.wants(name)
	}
	if !wanted {
		return nil
	}
	err = d.Store.InTx(ctx, func(tx Tx) error { return d.hear(tx, e, name, items) })
	if err == nil && d.Wake != nil {
		d.Wake()
	}
	return err
}

func (d *Desk) hear(tx Tx, e event.Event, name event.Name, items []item) error {
	if before, err := tx.Handled(messageID(0, e.ID)); err != nil || before { // the event's own id is the office's
		return err
	}
	hooks, err := tx.Hooks()
	if err != nil {
		return err
	}
	var users []int64
	for _, i := range items {
		users = append(users, i.whose().User)
	}
	members, err := tx.Members(users)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if !h.wants(name) {
			continue
		}
		if _, err := d.add(tx, h, e, name, items, members); err != nil {
			return err
		}
	}
	return nil
}

// add writes the delivery of an event to a hook, if it has news of the hook's users.
func (d *Desk) add(tx Tx, h Hook, e event.Event, name event.Name, items []item, members map[int64]Member) (int64, error) {
	id := messageID(h.ID, e.ID)
	body, err := write(h, id, name, e.At, items, members)
	if err != nil || body == nil {
		return 0, err
	}
	now := d.Now()
	return tx.Add(Delivery{Hook: h.ID, Event: e.ID, Message: id, Name: name, At: now, Body: body, Stage: Waiting, Next: now})
}

// Deliver posts what is due: one bounded batch for each hook, the hooks beside each
// other, those of one hook one after the other until one fails. It returns how many
// were delivered.
func (d *Desk) Deliver(ctx context.Context) (n int, err error) {
	hooks, err := d.Store.Hooks(ctx)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	room := make(chan struct{}, sendersMax)
	for _, h := range hooks {
		if h.State != Active || d.Now().Before(h.Rest) {
			continue
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			done, err := d.series(ctx, h)
			mu.Lock()
			defer mu.Unlock()
			n += done
			if err != nil {
				errs = append(errs, fmt.Errorf("webhook %d: %w", h.ID, err))
			}
		})
	}
	wg.Wait()
	return n, errors.Join(errs...)
}

// series delivers to one hook until a try fails, or until the time of one try is
// spent: whoever is slow gets less in a run, so that the others' turn comes.
func (d *Desk) series(ctx context.Context, h Hook) (n int, err error) {
	due, err := d.Store.Due(ctx, h.ID, d.Now(), batchMax)
	if err != nil {
		return 0, err
	}
	var spent time.Duration
	for _, v := range due {
		t, err := d.try(ctx, h, v)
		if err != nil || t.Reason != "" {
			return n, err
		}
		n++
		if spent += t.Took; spent >= d.Timeout {
			break
		}
	}
	return n, nil
}

// try posts a delivery once and stores what came of it. If ctx ends meanwhile that
// counts as no try.
func (d *Desk) try(ctx context.Context, h Hook, v Delivery) (Try, error) {
	now := d.Now()
	timestamp, signature, err := Sign(h.secrets(now), v.Message, now, v.Body)
	if err != nil {
		return Try{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	a := d.Poster.Post(bounded, Post{URL: h.URL, ID: v.Message, Timestamp: timestamp, Signature: signature, Body: v.Body})
	if err := ctx.Err(); err != nil {
		return Try{}, err
	}
	t := Try{Delivery: v.ID, At: now, Status: a.Status, Took: a.Took, Reason: judge(a), Excerpt: shorten(a.Excerpt)}
	return t, d.settle(ctx, h.ID, v, t, asked(a))
}

// asked is how long an answer asks us to wait, as far as we do what it says. Only who
// is too busy, or away for a while, may ask for that.
func asked(a Answer) time.Duration {
	if a.Status != 429 && a.Status != 503 {
		return 0
	}
	return min(max(a.Later, 0), askedMax)
}

// judge says why an answer is none that delivers; "" if it is one.
func judge(a Answer) Reason {
	switch {
	case a.Reason != "":
		return a.Reason
	case a.Status >= 200 && a.Status < 300:
		return ""
	case a.Status == 410:
		return Gone
	case a.Status >= 300 && a.Status < 400:
		return Redirected
	default:
		return BadStatus
	}
}

// shorten bounds what is kept of an answer.
func shorten(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), excerptMax)])
}

// settle stores what came of a try. Where another process was faster with the
// delivery, its word counts; the try is noted all the same. What failed is not tried
// again, and the hook is left alone, for as long as was asked for at least.
func (d *Desk) settle(ctx context.Context, hook int64, v Delivery, t Try, asked time.Duration) error {
	var off *Hook
	err := d.Store.InTx(ctx, func(tx Tx) error {
		off = nil
		hooks, err := tx.Hooks() // as they are now: staff may have changed it meanwhile
		if err != nil {
			return err
		}
		h, ok := find(hooks, hook)
		if !ok {
			return nil
		}
		was := h.State
		if t.Reason != "" || h.Fails > 0 { // otherwise it stays as well as it is
			h = h.after(t, asked)
			if err := tx.Update(h); err != nil {
				return err
			}
		}
		if h.State == Off && was != Off {
			off = &h
		}
		if _, err := tx.Swap(v.after(t, asked), v.Stage, v.Tries); err != nil {
			return err
		}
		return tx.Note(t)
	})
	if err == nil && off != nil && d.Alarm != nil {
		d.Alarm(*off)
	}
	return err
}

// after is a delivery after a try that asked us to wait.
func (v Delivery) after(t Try, asked time.Duration) Delivery {
	v.Tries++
	switch {
	case t.Reason == "":
		v.Stage, v.Next = Delivered, time.Time{}
	case t.Reason == Gone:
		v.Next = t.At // the hook goes off; whoever resumes it wants the rest
	case v.Tries >= triesMax:
		v.Stage, v.Next = Dead, time.Time{}
	default:
		v.Next = t.At.Add(max(waits()[v.Tries-1], asked))
	}
	return v
}

// after is a hook after a try that asked us to wait.
func (h Hook) after(t Try, asked time.Duration) Hook {
	if t.Reason == "" {
		h.Fails, h.Failing, h.Rest = 0, time.Time{}, time.Time{}
		return h
	}
	h.Fails++
	if h.Failing.IsZero() {
		h.Failing = t.At
	}
	rest := restMin
	for range min(h.Fails-1, 20) {
		rest = min(2*rest, restMax)
	}
	h.Rest = t.At.Add(max(rest, asked))
	if h.State == Active && (t.Reason == Gone || t.At.Sub(h.Failing) >= offAfter) {
		h.State, h.Why = Off, string(t.Reason)
	}
	return h
}

// find returns the hook with an id.
func find(hooks []Hook, id int64) (Hook, bool) {
	for _, h := range hooks {
		if h.ID == id {
			return h, true
		}
	}
	return Hook{}, false
}

// Prune forgets what is older than Keep: one bounded batch.
func (d *Desk) Prune(ctx context.Context) (n int, err error) {
	if hooks, err := d.Store.Hooks(ctx); err != nil || len(hooks) == 0 {
		return 0, err
	}
	err = d.Store.InTx(ctx, func(tx Tx) (err error) {
		n, err = tx.Prune(d.Now().Add(-d.Keep), pruneMax)
		return err
	})
	return n, err
}
