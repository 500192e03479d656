// Package channeltest holds the promises of bot.Channel as tests. A channel is
// done when [Run] passes.
//
// The suite needs the other side of the channel: people who write and read, and the
// network between. It never sleeps. It checks what every channel promises; how replies
// look, and what only one network does, belongs beside the channel.
//
// A channel has to play every story. Where by its nature it cannot, its Subject lacks
// what the story needs and says why in Without: a story that is left out without a
// reason fails, and so does a reason for one that could be played.
package channeltest

import (
	"context"
	"slices"
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

// stopMax is how long Run may take to end after its context, in the best of stopTries.
const (
	stopMax   = 2 * time.Second
	stopTries = 5
)

// Told is one message as a person sees it.
type Told struct {
	Text    string
	Buttons []string // labels
}

// A Subject is a channel under test with the people on its other side. What may be nil
// lets a story be left out; Without then says why.
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

	// RunsOnce says that Run can be called once: then Join makes the channel that goes on.
	RunsOnce bool
	// Join returns the channel of one more process, on the same memory. What is delivered
	// goes to any of those that run.
	Join func() bot.Channel
	// Again has the newest message or press of a person delivered so many more times, all
	// at once. It returns when they have reached us. answers waits until they are dealt
	// with and returns how each is answered, "" for in silence.
	Again func(person, copies int) (answers func() []string)

	// Forge returns deliveries in the name of a person that are not the network's, or not
	// any more, or not as they must be. Those that can have a text have this one.
	Forge func(person int, text string) []Forgery
	// Refused is how many deliveries are counted as refused for a reason; for any with "".
	Refused func(why string) int

	// Hide are the ways of a person to send an address that is not in what they write, with
	// words that are.
	Hide map[string]func(person int, words, address string)

	// Keys are what the channel cannot be without, as its configuration calls it.
	Keys []string
	// Make makes the channel without some of its keys.
	Make func(without ...string) error

	// Without says why the channel leaves a story out, by the story's name.
	Without map[string]string

	Logs    func() string // everything that was logged; nil if nothing is
	Secrets []string      // appear in no log line, no error and no answer to what is refused
}

// A Forgery is a delivery that must be refused.
type Forgery struct {
	Name   string
	Status int    // how it is answered; 0 for any refusal
	Why    string // as what it is counted; "" for whatever it is
	// Send delivers it, and returns what comes back.
	Send func() (status int, body string)
}

// A story is one promise.
type story struct {
	name   string
	people int                  // how many it takes
	needs  func(s Subject) bool // whether a channel has what else it takes; nil: they all have
	run    func(t *testing.T, s *stage)
}

// stories are all promises.
func stories() []story {
	joins := func(s Subject) bool { return s.Join != nil && s.Again != nil }
	repeats := func(s Subject) bool { return s.Again != nil }
	return []story{
		{"NameIsShortAndStable", 0, nil, nameIsStable},
		{"MessageSaysWhoAndWhere", 1, nil, messageSaysWho},
		{"EveryMessageHasItsOwnID", 1, nil, idsDiffer},
		{"AnswerIsForTheOneWhoAsked", 2, nil, answersAreNotMixed},
		{"MessagesOfOnePersonStayInOrder", 1, nil, orderIsKept},
		{"SlowAnswerHoldsUpNobodyElse", 2, nil, slowHoldsUpNobody},
		{"EmptyReplyIsSilent", 1, nil, emptyIsSilent},
		{"EveryPartOfAReplyIsSeen", 1, nil, partsAreSeen},
		{"MarkupInTextsIsText", 1, nil, markupIsText},
		{"LongTextArrivesWhole", 1, nil, longTextArrives},
		{"PressIsTheActionOfThePerson", 1, nil, pressIsAction},
		{"SendReachesAPerson", 1, nil, sendReaches},
		{"SendToTheUnreachableIsNotFound", 0, nil, unreachable},
		{"RunEndsSoonWithItsContext", 0, nil, runEnds},
		{"RunEndsSoonWhileAnswering", 1, nil, runEndsWhileAnswering},
		{"RunCanBeginAgain", 1, func(s Subject) bool { return !s.RunsOnce || s.Join != nil }, runAgain},
		{"AnswerCutShortComesAgain", 1, func(s Subject) bool { return s.Redelivers }, cutShortComesAgain},
		{"MessageDeliveredAgainIsAnsweredOnce", 1, repeats, messageAgain},
		{"PressDeliveredAgainIsDoneOnce", 1, repeats, pressAgain},
		{"TwoProcessesAnswerOnceAndInOrder", 2, joins, twoProcesses},
		{"ForgedDeliveriesAreRefused", 1, func(s Subject) bool { return s.Forge != nil && s.Refused != nil }, forgedIsRefused},
		{"HiddenLinkIsHeard", 1, func(s Subject) bool { return len(s.Hide) > 0 }, hiddenLinkIsHeard},
		{"MissingConfigurationIsNamed", 0, func(s Subject) bool { return len(s.Keys) > 0 && s.Make != nil }, missingIsNamed},
	}
}

// Stories are the names of all promises, in their order.
func Stories() (names []string) {
	for _, s := range stories() {
		names = append(names, s.name)
	}
	return names
}

// Run checks every promise of bot.Channel. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	names := Stories()
	for _, tt := range stories() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{Subject: open(t), t: t}
			logtest.Secret(s.Secrets...)
			for name := range s.Without {
				if !slices.Contains(names, name) {
					t.Fatalf("Without has %q, which is no story", name)
				}
			}
			tt.mustBePlayed(t, s.Subject)
			tt.run(t, s)
			s.tellsNoSecret()
		})
	}
}

// mustBePlayed leaves a story out that the channel cannot play and says why. It fails if
// that does not agree with what the channel has.
func (tt story) mustBePlayed(t *testing.T, s Subject) {
	t.Helper()
	able := len(s.People) >= tt.people && (tt.needs == nil || tt.needs(s))
	why, out := s.Without[tt.name]
	switch {
	case able && out:
		t.Fatalf("the story is left out (%s), and the channel has all that it takes", why)
	case !able && why == "":
		t.Fatal("the channel has not what the story takes, and Without does not say why")
	case out:
		t.Skipf("left out: %s", why)
	}
}

// stage is a subject on which a story is played.
type stage struct {
	Subject
	t *testing.T

	mu    sync.Mutex
	heard []bot.Message
	stop  func() (time.Duration, error) // of the run that is on
	ran   bool
}

// run begins to receive; the end of the test ends it.
func (s *stage) run(handle bot.Handler) {
	s.t.Helper()
	if s.ran && s.RunsOnce {
		s.Channel = s.Join()
	}
	s.ran = true
	s.stop = s.start(s.Channel, handle)
}

// start begins to receive in one process.
func (s *stage) start(c bot.Channel, handle bot.Handler) (stop func() (time.Duration, error)) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- c.Run(ctx, func(ctx context.Context, m bot.Message) bot.Reply {
			s.mu.Lock()
			s.heard = append(s.heard, m)
			s.mu.Unlock()
			return handle(ctx, m)
		})
	}()
	stop = sync.OnceValues(func() (time.Duration, error) {
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
	s.t.Cleanup(func() {
		if _, err := stop(); err != nil {
			s.t.Errorf("Run returned %v, want nil", err)
		}
	})
	return stop
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
