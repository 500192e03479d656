package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// An Alert is something that staff should be told without asking. It holds no personal
// data.
type Alert struct {
	Key   string // what it is about: the same key is told once in a while
	What  Stable // in one word
	Items []Item
}

// What alerts say.
const (
	ToReview  Stable = "to_review"  // a withdrawal waits for a person
	ToSecond  Stable = "to_second"  // for a second one
	NotPaid   Stable = "not_paid"   // a payer does not say what became of one
	Stopped   Stable = "stopped"    // a switch is on that no person has turned
	BadBooks  Stable = "bad_books"  // the books are not sound
	FeedStill Stable = "feed_still" // a stream of orders stands still
	DeadMail  Stable = "dead_mail"  // events or messages were given up
	DayOver   Stable = "day_over"   // the report of a day
)

// A Sink brings alerts to staff: a chat group, a robot.
type Sink interface {
	Name() string // short, never changes
	Raise(ctx context.Context, a Alert) error
}

// An AlertStore remembers what was told. Implementations pass storetest.Alerts.
type AlertStore interface {
	// ClaimAlert reports whether nobody has told key to a sink since a time, and
	// remembers that it is told now: of several who ask at once one is right.
	ClaimAlert(ctx context.Context, key, sink string, since, now time.Time) (bool, error)
	// ReleaseAlert forgets it: it could not be told.
	ReleaseAlert(ctx context.Context, key, sink string) error
}

// An Alarm tells staff what the stations say unasked. What lasts is told again after
// Pause. It is safe for concurrent use, in several processes, too.
type Alarm struct {
	Stations map[string]Service
	Sinks    []Sink
	Store    AlertStore
	Pause    time.Duration
	Now      func() time.Time
}

// Run asks all stations and tells what is new. A station that is away is an alert of
// its own business: others see it.
func (m *Alarm) Run(ctx context.Context) (n int, err error) {
	if len(m.Sinks) == 0 {
		return 0, nil
	}
	var errs []error
	for _, t := range slices.Sorted(maps.Keys(m.Stations)) {
		a, err := m.Stations[t].Do(ctx, Act{Name: AlertsAct})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, i := range a.Items {
			told, err := m.Tell(ctx, alertOf(i))
			n += told
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}

// Tell tells one thing to every sink that has not heard it lately.
func (m *Alarm) Tell(ctx context.Context, a Alert) (n int, err error) {
	var errs []error
	for _, s := range m.Sinks {
		now := m.Now()
		fresh, err := m.Store.ClaimAlert(ctx, a.Key, s.Name(), now.Add(-m.Pause), now)
		if err != nil || !fresh {
			errs = append(errs, err)
			continue
		}
		if err := s.Raise(ctx, a); err != nil {
			errs = append(errs, fault.In("desk.alert/"+s.Name(), err), m.Store.ReleaseAlert(ctx, a.Key, s.Name()))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// Report tells how a day was, which is written 2006-01-02.
func (m *Alarm) Report(ctx context.Context, day string) (int, error) {
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
	return m.Tell(ctx, Alert{Key: "report/" + day, What: DayOver, Items: out.Items})
}

// alertField is the label under which a station says what an alert is.
const alertField Label = "alert"

// alertItem makes an alert travel as an item.
func alertItem(key string, what Stable, i Item) Item {
	i.Fields = append([]Field{{Label: alertField, Kind: Word, Text: string(what), Was: key}}, i.Fields...)
	return i
}

// AlertItem is how other parts of a station say an alert.
func AlertItem(key string, what Stable, i Item) Item { return alertItem(key, what, i) }

// alertOf is the opposite of alertItem.
func alertOf(i Item) Alert {
	if len(i.Fields) == 0 || i.Fields[0].Label != alertField {
		return Alert{Key: string(i.Title) + "/" + i.ID, Items: []Item{i}}
	}
	f := i.Fields[0]
	i.Fields = i.Fields[1:]
	return Alert{Key: f.Was, What: Stable(f.Text), Items: []Item{i}}
}

// longUnclear is after how long a payer's silence is told.
const longUnclear = 30 * time.Minute

// alerts are those of money.
func (p Payment) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	ws, err := p.waiting(ctx)
	if err != nil {
		return out, err
	}
	for _, w := range ws {
		i := withdrawalItem(w, true)
		i.Fields = slices.DeleteFunc(i.Fields, func(f Field) bool { return f.Label == LPayee })
		key := fmt.Sprintf("withdrawal/%d/%s", w.ID, w.State)
		switch {
		case w.State == withdraw.Reviewing && w.First != "":
			out.Items = append(out.Items, alertItem(key+"/second", ToSecond, i))
		case w.State == withdraw.Reviewing, w.State == withdraw.Requested:
			out.Items = append(out.Items, alertItem(key, ToReview, i))
		case w.State == withdraw.Unknown && p.Now().Sub(w.Changed) > longUnclear:
			out.Items = append(out.Items, alertItem(key, NotPaid, i))
		}
	}
	on, err := p.on(ctx)
	for _, s := range on {
		if !strings.Contains(s.By, ":") && s.By != "cli" { // no person has turned it
			out.Items = append(out.Items, alertItem("switch/"+string(s.Scope), Stopped, switchItem(s)))
		}
	}
	return out, err
}

// alerts are those of streams of orders.
func (o Ordering) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	ps, err := o.places(ctx)
	for _, p := range ps {
		if o.Stall > 0 && o.Now().Sub(p.At) > o.Stall {
			i := o.feedItem(p)
			out.Items = append(out.Items, alertItem("feed/"+i.ID, FeedStill, i))
		}
	}
	return out, err
}

// BooksAlert is what is said of books that are not sound.
func BooksAlert(at time.Time) Item {
	return alertItem("books/"+at.Format(time.DateOnly), BadBooks, Item{Title: LBooks, Wrong: true, Fields: []Field{
		word(LState, string(WUnsound)), moment(LAt, at),
	}})
}

// DeadAlert is what is said of events that were given up.
func DeadAlert(target string, n int64) Item {
	return alertItem("dead/"+target, DeadMail, Item{Title: LEvents, ID: target, Wrong: true, Fields: []Field{count(LDead, n)}})
}

// TargetItem is how a target is.
func TargetItem(target, build string, started time.Time, waiting, dead int64) Item {
	return Item{Title: LTarget, ID: target, Wrong: dead > 0, Fields: []Field{
		text(LVersionOf, build), moment(LUptime, started), count(LEvents, waiting), count(LDead, dead),
	}}
}
