package channeltest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/link"
)

// copies is how often something is delivered again at once.
const copies = 3

// messageAgain delivers a message again while it is being answered, and after that.
func messageAgain(t *testing.T, s *stage) {
	asked, release := make(chan struct{}), make(chan struct{})
	ask, free := sync.OnceFunc(func() { close(asked) }), sync.OnceFunc(func() { close(release) })
	defer free()
	s.run(func(ctx context.Context, m bot.Message) bot.Reply {
		if m.Text == "slow" {
			ask()
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return echo(ctx, m)
	})
	s.Say(0, "slow")
	s.await(asked, "the message")
	answers := s.Again(0, copies)
	free()
	s.alike("re slow", answers())
	s.read(0, "re slow")
	s.alike("re slow", s.Again(0, 1)())
	s.Say(0, "after")
	s.toldOnce(0, s.read(0, "re after"), "re slow", "re after")
	s.handed(t, "slow", "after")
}

// pressAgain delivers a press again after it was done.
func pressAgain(t *testing.T, s *stage) {
	s.run(func(ctx context.Context, m bot.Message) bot.Reply {
		if m.Text == "hello" {
			return bot.Reply{Text: "choose", Buttons: []bot.Button{{Label: "Left", Action: "go left"}}}
		}
		return echo(ctx, m)
	})
	s.Say(0, "hello")
	s.read(0, "choose", "Left")
	s.Press(0, "Left")
	s.read(0, "re go left")
	s.alike("re go left", s.Again(0, copies)())
	s.Say(0, "after")
	s.toldOnce(0, s.read(0, "re after"), "choose", "re go left", "re after")
	s.handed(t, "hello", "go left", "after")
}

// alike checks how copies are answered that a network delivers: in silence, or as the
// message itself.
func (s *stage) alike(want string, answers []string) {
	s.t.Helper()
	for _, a := range answers {
		if a != "" && a != want {
			s.t.Errorf("a copy is answered with %q, want silence or %q", a, want)
		}
	}
}

// toldOnce checks that a person was told each of the words once, and in this order.
func (s *stage) toldOnce(person int, all []Told, words ...string) {
	s.t.Helper()
	text, at := everything(all), -1
	for _, w := range words {
		if n := strings.Count(text, w); n != 1 {
			s.t.Errorf("person %d was told %q %d times: %q", person, w, n, all)
		}
		next := strings.Index(text, w)
		if next < at {
			s.t.Errorf("person %d was told %q too early: %q", person, w, all)
		}
		at = next
	}
}

// handed checks which texts the handler was handed.
func (s *stage) handed(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, m := range s.messages() {
		got = append(got, m.Text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("handed %q, want %q", got, want)
	}
}

// twoProcesses lets people talk to two processes, of which one ends. Where the network
// waits for an answer, a copy may be handed on by either process: as the same message,
// which package bot answers once.
func twoProcesses(t *testing.T, s *stage) {
	stop := s.start(s.Channel, echo)
	s.start(s.Join(), echo)
	words := [2][]string{}
	said := func(rounds int) {
		for round := range rounds {
			for i := range words {
				person := (i + round) % len(words) // or each would have a process of their own
				text := fmt.Sprintf("message %d of %d.", len(words[person]), person)
				words[person] = append(words[person], "re "+text)
				s.Say(person, text)
			}
		}
		for person := range words {
			s.read(person, words[person][len(words[person])-1])
		}
	}
	said(3)
	s.alike(words[0][2], s.Again(0, 2*copies)())
	if _, err := stop(); err != nil {
		t.Errorf("the first process ended with %v", err)
	}
	said(2)
	for person := range words {
		s.toldOnce(person, s.read(person), words[person]...)
	}
	known := map[string]bot.Message{}
	for _, m := range s.messages() {
		if before, again := known[m.Text]; again && before != m {
			t.Errorf("%+v was handed on as %+v before", m, before)
		}
		known[m.Text] = m
	}
}

// forgedIsRefused tries every forgery between two messages that are right.
func forgedIsRefused(t *testing.T, s *stage) {
	const text = "withdraw everything"
	s.run(echo)
	s.Say(0, "before")
	s.read(0, "re before")
	all := s.Forge(0, text)
	if len(all) == 0 {
		t.Fatal("there is nothing forged")
	}
	for _, f := range all {
		before := s.Refused(f.Why)
		status, body := f.Send()
		refused := status >= http.StatusBadRequest && status < http.StatusInternalServerError
		if !refused || f.Status != 0 && status != f.Status {
			t.Errorf("%s: answered %d, want a refusal (%d)", f.Name, status, f.Status)
		}
		if n := s.Refused(f.Why) - before; n != 1 {
			t.Errorf("%s: counted %d times as refused for %q, want once", f.Name, n, f.Why)
		}
		for _, secret := range append([]string{text}, s.Secrets...) {
			if strings.Contains(body, secret) {
				t.Errorf("%s: the answer tells a secret, or what was said", f.Name)
			}
		}
	}
	s.Say(0, "after")
	s.toldOnce(0, s.read(0, "re after"), "re before", "re after")
	s.handed(t, "before", "after")
	if s.Logs != nil && strings.Contains(s.Logs(), text) {
		t.Error("the log has what was said in it")
	}
}

// hiddenLinkIsHeard sends an address in each way in which it is not seen.
func hiddenLinkIsHeard(t *testing.T, s *stage) {
	const address, words = "https://item.jd.com/100012043978.html", "这个水壶"
	got := make(chan bot.Message, len(s.Hide))
	s.run(func(_ context.Context, m bot.Message) bot.Reply {
		got <- m
		return bot.Reply{}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for name, send := range s.Hide {
		send(0, words, address)
		select {
		case m := <-got:
			refs := link.Recognise(m.Text)
			if len(refs) != 1 || refs[0].Key() != link.Recognise(address)[0].Key() || !strings.Contains(m.Text, words) {
				t.Errorf("%s: handed %q with the links %+v, want the words and the link once", name, m.Text, refs)
			}
		case <-ctx.Done():
			t.Fatalf("%s: nothing is heard", name)
		}
	}
}

// missingIsNamed makes the channel without each key, without all of them, and with them.
func missingIsNamed(t *testing.T, s *stage) {
	names := func(err error, keys ...string) {
		t.Helper()
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("without %v it says %v, want invalid", keys, err)
		}
		for _, key := range keys {
			if !strings.Contains(err.Error(), key) {
				t.Errorf("without %v it says %q", keys, err)
			}
		}
		for _, secret := range s.Secrets {
			if strings.Contains(err.Error(), secret) {
				t.Error("an error tells a secret")
			}
		}
	}
	for _, key := range s.Keys {
		names(s.Make(key), key)
	}
	names(s.Make(s.Keys...), s.Keys...)
	if err := s.Make(); err != nil {
		t.Errorf("with everything it says %v", err)
	}
}
