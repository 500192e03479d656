package mailtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/post"
)

// A Trouble is what a platform of a test does to a call.
type Trouble string

// The troubles.
const (
	Busy    Trouble = "busy"    // it refuses the call and says how long to stay away
	Down    Trouble = "down"    // it does not answer
	Blocked Trouble = "blocked" // the person does not want to hear from us
)

// A Subject is a carrier under test with its platform.
type Subject struct {
	Carrier mail.Carrier
	// Address is a parcel for a person whom the carrier can reach, without Key and Reply.
	Address mail.Parcel
	// Long is a reply that the carrier sends as several messages; the zero Reply if it
	// never does.
	Long bot.Reply
	// Read returns what the person was shown, in order.
	Read func() []string
	// Trouble makes calls fail after the next so many, until it is called with "".
	Trouble func(what Trouble, after int)
	// Secrets appear in no error.
	Secrets []string
}

// A stand is a subject with an engine whose clock stands still.
type stand struct {
	Subject
	t      *testing.T
	engine *mail.Engine
	store  *Store
	at     time.Time
	errs   []error
}

// Carrier checks every promise of mail.Carrier. open returns a new subject that shares
// nothing with others; subtests run in parallel.
func Carrier(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for name, check := range map[string]func(*stand){
		"WhatHasArrivedIsNotSentAgain": arrivesOnce, "ABusyPlatformIsLeftAlone": leftAlone, "GoesOnWhereItStopped": goesOn,
		"WhatIsDownIsTriedAgain": triedAgain, "WhoIsGoneIsGone": isGone, "StoppedItSendsNothing": stopped,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stand{Subject: open(t), t: t, store: &Store{}, at: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)}
			s.engine = &mail.Engine{Store: s.store, Holder: "test", Now: func() time.Time { return s.at }, Log: logtest.New(nil)}
			logtest.Secret(s.Secrets...)
			s.engine.Register(watched{s.Carrier, s})
			check(s)
			for _, err := range s.errs {
				for _, secret := range s.Secrets {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Error("an error has a secret in it")
					}
				}
			}
		})
	}
}

// watched notes what a carrier returns.
type watched struct {
	mail.Carrier
	s *stand
}

// Carry implements mail.Carrier.
func (w watched) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	err := w.Carrier.Carry(ctx, p, progress)
	w.s.errs = append(w.s.errs, err)
	return err
}

// last is what the carrier returned last.
func (s *stand) last() error {
	s.t.Helper()
	if len(s.errs) == 0 {
		s.t.Fatal("the carrier was not called")
	}
	return s.errs[len(s.errs)-1]
}

// post posts a reply to the person.
func (s *stand) post(key string, r bot.Reply) {
	s.t.Helper()
	p := s.Address
	p.Key, p.Reply = key, r
	if err := s.engine.Post(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

// try tries what is due, after some time.
func (s *stand) try(ctx context.Context, after time.Duration) {
	s.t.Helper()
	s.at = s.at.Add(after)
	if _, err := s.engine.Step(ctx, post.Out, s.Carrier.Name(), mail.Service{}); err != nil {
		s.t.Fatal(err)
	}
}

// state is what became of the only parcel.
func (s *stand) state() post.Item {
	s.t.Helper()
	i, err := s.store.Item(s.t.Context(), post.Out, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func arrivesOnce(s *stand) {
	for range 2 {
		s.post("k", bot.Reply{Text: "hello"})
		s.try(s.t.Context(), time.Minute)
	}
	if got := s.Read(); len(got) != 1 || !strings.Contains(got[0], "hello") || s.state().State != post.Sent {
		s.t.Errorf("the person is shown %q, and it is %s", got, s.state().State)
	}
}

func leftAlone(s *stand) {
	s.Trouble(Busy, 0)
	s.post("k", bot.Reply{Text: "hello"})
	began := time.Now()
	s.try(s.t.Context(), 0)
	if took := time.Since(began); took > time.Second {
		s.t.Errorf("it keeps its place for %s", took)
	}
	if err := s.last(); !fault.Is(err, fault.Limited) || fault.RetryAfter(err) <= 0 {
		s.t.Errorf("it says %v, and to wait for %s", err, fault.RetryAfter(err))
	}
	s.Trouble("", 0)
	s.try(s.t.Context(), time.Hour)
	if got := s.Read(); len(got) != 1 || s.state().State != post.Sent {
		s.t.Errorf("the person is shown %q, and it is %s", got, s.state().State)
	}
}

func goesOn(s *stand) {
	if len(s.Long.Cards) == 0 && s.Long.Text == "" {
		s.t.Skip("it never sends several messages")
	}
	s.post("k", s.Long)
	s.try(s.t.Context(), 0)
	whole := s.Read()
	if len(whole) < 2 {
		s.t.Fatalf("the long reply is %q", whole)
	}
	for n := 1; n < len(whole); n++ {
		before := len(s.Read())
		s.Trouble(Busy, n)
		s.post(fmt.Sprint("k", n), s.Long)
		s.try(s.t.Context(), 0)
		if got := s.Read()[before:]; !slices.Equal(got, whole[:n]) {
			s.t.Errorf("before the trouble after %d of %d they are shown %q", n, len(whole), got)
		}
		s.Trouble("", 0)
		s.try(s.t.Context(), time.Hour)
		if got := s.Read()[before:]; !slices.Equal(got, whole) {
			s.t.Errorf("after the trouble after %d of %d they are shown %q, want %q", n, len(whole), got, whole)
		}
	}
}

func triedAgain(s *stand) {
	s.Trouble(Down, 0)
	s.post("k", bot.Reply{Text: "hello"})
	s.try(s.t.Context(), 0)
	if err := s.last(); !fault.Is(err, fault.Unavailable) {
		s.t.Errorf("it says %v", err)
	}
	s.Trouble("", 0)
	s.try(s.t.Context(), time.Hour)
	if got := s.Read(); len(got) == 0 || s.state().State != post.Sent {
		s.t.Errorf("the person is shown %q, and it is %s", got, s.state().State)
	}
}

func isGone(s *stand) {
	s.Trouble(Blocked, 0)
	s.post("k", bot.Reply{Text: "hello"})
	s.try(s.t.Context(), 0)
	if err := s.last(); !fault.Is(err, fault.NotFound) || s.state().State != post.Gone {
		s.t.Errorf("it says %v, and it is %s", err, s.state().State)
	}
}

func stopped(s *stand) {
	ctx, cancel := context.WithCancelCause(s.t.Context())
	cancel(errors.New("the process stops"))
	p := s.Address
	p.Key, p.Reply = "k", bot.Reply{Text: "hello"}
	if err := mail.Carry(ctx, s.Carrier, p); err == nil {
		s.t.Error("stopped, it says that it has sent something")
	}
	if got := s.Read(); len(got) != 0 {
		s.t.Errorf("the person is shown %q", got)
	}
}
