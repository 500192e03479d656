// Package channeltest holds the promises of bot.Channel as tests. A channel is
// done when [Run] passes.
//
// The suite needs the other side of the channel: people who write and read. It
// never sleeps. It checks what every channel promises; how replies look, and what
// only one network does, belongs beside the channel.
package channeltest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/core/logtest"
	"fanli/core/user"
)

// patience is when something that does not happen is called missing. It is far
// above what a channel needs, so that a busy machine fails no test.
const patience = 20 * time.Second

// stopMax is how long Run may take to end after its context.
const stopMax = 2 * time.Second

// Told is one message as a person sees it.
type Told struct {
	Text    string
	Buttons []string // labels
}

// A Subject is a channel under test with the people on its other side.
type Subject struct {
	Channel bot.Channel

	// People are those who can write, by their number. Two of them make all
	// tests run.
	People []user.Identity
	// Say lets a person write to us in private.
	Say func(person int, text string)
	// Press lets a person press the last button with a label that he was shown.
	Press func(person int, label string)
	// Read waits until what a person was told is as wanted, or ctx ends, and
	// returns all of it in order.
	Read func(ctx context.Context, person int, wanted func([]Told) bool) []Told

	// More lets a person ask for the rest of a text that was cut; nil where long texts
	// come whole.
	More func(person int)

	// Waits says that what is told unasked waits until the person writes.
	Waits bool

	// Unreachable is somebody who does not want to hear from us; the zero value
	// if the channel has no such people.
	Unreachable user.Identity
	// Redelivers says that a message whose answer was cut short by the end of
	// Run comes again with the next one.
	Redelivers bool

	Logs    func() string // everything that was logged; nil if nothing is
	Secrets []string      // appear in no log line and no error
}

// Run checks every promise of bot.Channel. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name   string
		people int
		run    func(t *testing.T, s *stage)
	}{
		{"NameIsShortAndStable", 0, nameIsStable},
		{"MessageSaysWhoAndWhere", 1, messageSaysWho},
		{"EveryMessageHasItsOwnID", 1, idsDiffer},
		{"AnswerIsForTheOneWhoAsked", 2, answersAreNotMixed},
		{"MessagesOfOnePersonStayInOrder", 1, orderIsKept},
		{"SlowAnswerHoldsUpNobodyElse", 2, slowHoldsUpNobody},
		{"EmptyReplyIsSilent", 1, emptyIsSilent},
		{"EveryPartOfAReplyIsSeen", 1, partsAreSeen},
		{"MarkupInTextsIsText", 1, markupIsText},
		{"LongTextArrivesWhole", 1, longTextArrives},
		{"PressIsTheActionOfThePerson", 1, pressIsAction},
		{"SendReachesAPerson", 1, sendReaches},
		{"SendToTheUnreachableIsNotFound", 0, unreachable},
		{"RunEndsSoonWithItsContext", 0, runEnds},
		{"RunEndsSoonWhileAnswering", 1, runEndsWhileAnswering},
		{"RunCanBeginAgain", 1, runAgain},
		{"AnswerCutShortComesAgain", 1, cutShortComesAgain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{Subject: open(t), t: t}
			logtest.Secret(s.Secrets...)
			if len(s.People) < tt.people {
				t.Skipf("needs %d people, the channel has %d", tt.people, len(s.People))
			}
			tt.run(t, s)
			s.tellsNoSecret()
		})
	}
}

// stage is a subject on which a story is played.
type stage struct {
	Subject
	t *testing.T

	mu    sync.Mutex
	heard []bot.Message
	stop  func() (time.Duration, error) // of the run that is on
}

// run begins to receive; the end of the test ends it.
func (s *stage) run(handle bot.Handler) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- s.Channel.Run(ctx, func(ctx context.Context, m bot.Message) bot.Reply {
			s.mu.Lock()
			s.heard = append(s.heard, m)
			s.mu.Unlock()
			return handle(ctx, m)
		})
	}()
	s.stop = sync.OnceValues(func() (time.Duration, error) {
		began := time.Now()
		cancel()
		select {
		case err := <-ended:
			return time.Since(began), err
		case <-time.After(patience):
			s.t.Fatalf("Run did not end within %v", patience)
			return patience, nil
		}
	})
	stop := s.stop
	s.t.Cleanup(func() {
		if _, err := stop(); err != nil {
			s.t.Errorf("Run returned %v, want nil", err)
		}
	})
}

// messages returns what was handed to the handler so far.
func (s *stage) messages() []bot.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]bot.Message(nil), s.heard...)
}

// read waits until a person was told all of the words.
func (s *stage) read(person int, words ...string) []Told {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	all := s.Read(ctx, person, func(all []Told) bool { return hasAll(all, words) })
	if !hasAll(all, words) {
		s.t.Fatalf("person %d was told %q, want %q in it", person, all, words)
	}
	return all
}

func hasAll(all []Told, words []string) bool {
	for _, w := range words {
		if !strings.Contains(everything(all), w) {
			return false
		}
	}
	return true
}

// everything is all that a person was told, one text below the other.
func everything(all []Told) string {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(m.Text + "\n" + strings.Join(m.Buttons, "\n") + "\n")
	}
	return b.String()
}

// tellsNoSecret checks the log of the story.
func (s *stage) tellsNoSecret() {
	s.t.Helper()
	if s.Logs == nil {
		return
	}
	for _, secret := range s.Secrets {
		if strings.Contains(s.Logs(), secret) {
			s.t.Error("the log tells a secret")
		}
	}
}

// echo answers with the message.
func echo(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: "re " + m.Text} }
