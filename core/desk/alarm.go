package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// A News is one message to staff: about one thing, or about several of the same kind.
type News struct {
	Key   string // of the message; unique
	What  Stable
	Phase Phase
	Since time.Time // when the oldest of them began
	Count int       // how many there are
	Items []Item    // the first of them
}

// A Phase says what has become of what staff are told.
type Phase string

// The phases.
const (
	Begins Phase = "begins" // it is new
	Stays  Phase = "stays"  // it has lasted for a while
	Ends   Phase = "ends"   // it is over
)

// A Sink brings news to staff: a chat group, a robot.
type Sink interface {
	Name() string // short, never changes
	// Wrap makes of a message what is kept until it has arrived.
	Wrap(ctx context.Context, n News) ([]post.Parcel, error)
	// Wake has what was kept delivered.
	Wake(ctx context.Context)
}

// A Told is something that a sink was told of and that is not over.
type Told struct {
	Key, Sink string
	What      Stable
	Station   string // who says it
	Title     Label  // and ID: of the thing
	ID        string
	First     time.Time // when it was told first
	Last      time.Time // and last
	Gone      time.Time // since when its station does not say it any more; zero while it does
	Rev       int64     // rises with every change
}

// A Turn is how what was told changes. Rev is that from before; 0 for something new.
type Turn struct {
	Told
	Over bool // it is forgotten
}

// An AlertStore remembers what was told. Implementations pass storetest.Desks.
type AlertStore interface {
	// Told returns what a sink was told of and that is not over.
	Told(ctx context.Context, sink string) ([]Told, error)
	// Tell stores turns and the parcels that say so, together. It fails with
	// fault.Conflict, and changes nothing, if somebody else has turned one of them.
	Tell(ctx context.Context, now time.Time, turns []Turn, ps []post.Parcel) error
}

// An Alarm tells staff what the stations say unasked. It is safe for concurrent use, in
// several processes, too:
//
//   - What is new is told once to every sink, what lasts is told again after Pause, and
//     that it is over is told once, if it stays away for settleTime.
//   - Things of the same kind are one message, and a kind that was told is not told anew
//     within calmTime: a flood is two messages with a number.
//   - That something was told, and the message, are stored together: it is delivered as
//     any other, also after a crash.
type Alarm struct {
	Stations map[string]Service
	Sinks    []Sink
	Store    AlertStore
	Pause    time.Duration
	Now      func() time.Time
}

// How an Alarm keeps calm.
const (
	calmTime     = time.Minute     // between two messages of a kind that say something new
	settleTime   = 2 * time.Minute // something is away for so long before it is over
	newsItemsMax = 6               // of one message
)

// Run asks all stations and tells what is new. It returns how many messages are kept. A
// station that is away is an alert of its own business: others see it.
func (m *Alarm) Run(ctx context.Context) (n int, err error) {
	if len(m.Sinks) == 0 {
		return 0, nil
	}
	var errs []error
	heard, asked := map[string]Alert{}, map[string]bool{}
	for _, t := range slices.Sorted(maps.Keys(m.Stations)) {
		a, err := m.Stations[t].Do(ctx, Act{Name: AlertsAct})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		asked[t] = true
		for _, i := range a.Items {
			x := alertOf(i)
			x.Station = t
			heard[x.Key] = x
		}
	}
	for _, s := range m.Sinks {
		told, err := m.Store.Told(ctx, s.Name())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		some, err := m.tell(ctx, s, m.compare(s.Name(), told, heard, asked))
		n += some
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

// Report tells how a day was, which is written 2006-01-02, once.
func (m *Alarm) Report(ctx context.Context, day string) (n int, err error) {
	if len(m.Sinks) == 0 {
		return 0, nil
	}
	spec, _ := SpecOf("report")
	var out Answer
	for _, t := range spec.Targets {
		s := m.Stations[t]
		if s == nil {
			continue
		}
		a, err := s.Do(ctx, Act{Name: spec.Name, Args: []string{day}})
		if err != nil {
			return 0, err // it is told again: half a report is none
		}
		out.add(a)
	}
	var errs []error
	for _, s := range m.Sinks {
		told, err := m.Store.Told(ctx, s.Name())
		key := "report/" + day
		if err != nil || slices.ContainsFunc(told, func(t Told) bool { return t.Key == key }) {
			errs = append(errs, err)
			continue
		}
		b := bundle{what: DayOver, phase: Begins, count: 1, items: out.Items}
		b.turn(Told{Key: key, Sink: s.Name(), What: DayOver, Title: LDay, ID: day}, m.Now())
		some, err := m.tell(ctx, s, []bundle{b})
		n += some
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

// tell stores what has changed, and the messages that say so.
func (m *Alarm) tell(ctx context.Context, s Sink, bs []bundle) (n int, err error) {
	var errs []error
	for _, b := range bs {
		now := m.Now()
		var ps []post.Parcel
		if b.phase != "" {
			var err error
			if ps, err = s.Wrap(ctx, b.news(s.Name(), now)); err != nil {
				errs = append(errs, fault.In("desk.alert/"+s.Name(), err))
				continue
			}
		}
		err := m.Store.Tell(ctx, now, b.turns, ps)
		switch {
		case fault.Is(err, fault.Conflict): // another process was faster
		case err != nil:
			errs = append(errs, fault.In("desk.alert/"+s.Name(), err))
		case b.phase != "":
			n++
		}
	}
	if n > 0 {
		s.Wake(ctx)
	}
	return n, errors.Join(errs...)
}

// compare returns what follows for a sink from what the stations say now: messages, and
// one bundle without a message for what nobody is told.
func (m *Alarm) compare(sink string, told []Told, heard map[string]Alert, asked map[string]bool) []bundle {
	now := m.Now()
	c := comparison{now: now, pause: m.Pause, bundles: map[string]*bundle{}}
	known, calm, due := map[string]Told{}, map[Stable]bool{}, map[Stable]bool{}
	for _, t := range told {
		known[t.Key] = t
		calm[t.What] = calm[t.What] || now.Sub(t.First) < calmTime
		a, is := heard[t.Key]
		due[a.What] = due[a.What] || is && now.Sub(t.Last) >= m.Pause
		if !is && asked[t.Station] {
			c.missing(t)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(heard)) {
		a := heard[key]
		t, is := known[key]
		switch {
		case !is && !calm[a.What]:
			c.say(Begins, Told{Key: key, Sink: sink, What: a.What, Station: a.Station}, a.Items, now)
		case is && due[a.What]:
			t.What, t.Station = a.What, a.Station
			c.say(Stays, t, a.Items, now)
		case is && !t.Gone.IsZero(): // it is back before anybody was told that it was over
			t.Gone = time.Time{}
			c.quietly(Turn{Told: t})
		}
	}
	return c.all()
}

// A comparison collects what follows.
type comparison struct {
	now     time.Time
	pause   time.Duration
	bundles map[string]*bundle
	quiet   []Turn
}

func (c *comparison) quietly(t Turn) { c.quiet = append(c.quiet, t) }

// missing is about something of which its station does not speak any more.
func (c *comparison) missing(t Told) {
	switch {
	case !lasts(t.What):
		if c.now.Sub(t.Last) >= c.pause {
			c.quietly(Turn{Told: t, Over: true})
		}
	case t.Gone.IsZero():
		t.Gone = c.now
		c.quietly(Turn{Told: t})
	case c.now.Sub(t.Gone) >= settleTime:
		b := c.of(Ends, t.What)
		b.add([]Item{{Title: t.Title, ID: t.ID}}, t.First)
		b.turns = append(b.turns, Turn{Told: t, Over: true})
	}
}

// say tells one thing.
func (c *comparison) say(p Phase, t Told, items []Item, now time.Time) {
	if len(items) > 0 {
		t.Title, t.ID = items[0].Title, items[0].ID
	}
	b := c.of(p, t.What)
	b.turn(t, now)
	b.add(items, b.turns[len(b.turns)-1].First)
}

func (c *comparison) of(p Phase, what Stable) *bundle {
	key := string(p) + "/" + string(what)
	if c.bundles[key] == nil {
		c.bundles[key] = &bundle{what: what, phase: p}
	}
	return c.bundles[key]
}

func (c *comparison) all() (out []bundle) {
	for _, key := range slices.Sorted(maps.Keys(c.bundles)) {
		out = append(out, *c.bundles[key])
	}
	if len(c.quiet) > 0 {
		out = append(out, bundle{turns: c.quiet})
	}
	return out
}

// A bundle is what is told in one message, if it has a phase, and what changes by that.
type bundle struct {
	what  Stable
	phase Phase
	since time.Time
	count int
	items []Item
	turns []Turn
}

// turn enters that something is told now.
func (b *bundle) turn(t Told, now time.Time) {
	if t.Rev == 0 {
		t.First = now
	}
	t.Last, t.Gone = now, time.Time{}
	b.turns = append(b.turns, Turn{Told: t})
}

// add puts one thing into the message.
func (b *bundle) add(items []Item, since time.Time) {
	if b.count++; b.since.IsZero() || since.Before(b.since) {
		b.since = since
	}
	if len(b.items) < newsItemsMax {
		b.items = append(b.items, items...)
	}
}

// news is the message. Its key says what it is about and when it was told: who comes
// second is refused for that what it is about has changed.
func (b *bundle) news(sink string, now time.Time) News {
	h := sha256.New()
	for _, t := range b.turns {
		_, _ = fmt.Fprintf(h, "%s@%d\n", t.Key, t.Rev) // a hash takes everything
	}
	key := fmt.Sprintf("alert/%s/%s/%s/%d/%s", sink, b.what, b.phase, now.UnixMilli(), hex.EncodeToString(h.Sum(nil)[:8]))
	return News{Key: key, What: b.what, Phase: b.phase, Since: b.since, Count: b.count, Items: b.items}
}
