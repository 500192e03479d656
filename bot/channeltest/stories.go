package channeltest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/user"
)

func nameIsStable(t *testing.T, s *stage) {
	name := s.Channel.Name()
	if name == "" || len(name) > 16 || name != strings.ToLower(name) || strings.ContainsAny(name, " /|") {
		t.Errorf("Name() = %q, want a short lower-case word", name)
	}
	if again := s.Channel.Name(); again != name {
		t.Errorf("Name() = %q, then %q", name, again)
	}
	for _, p := range s.People {
		if p.Channel != name {
			t.Errorf("a person has the identity %+v, want the channel %q", p, name)
		}
	}
}

func messageSaysWho(t *testing.T, s *stage) {
	s.run(echo)
	s.Say(0, "hello there")
	s.read(0, "re hello there")
	m := s.messages()[0]
	if m.From != s.People[0] || m.Chat == "" || m.Text != "hello there" || m.Group {
		t.Errorf("handed %+v, want it from %+v in private", m, s.People[0])
	}
}

func idsDiffer(t *testing.T, s *stage) {
	s.run(echo)
	for range 3 {
		s.Say(0, "the same")
	}
	s.Say(0, "the last")
	s.read(0, "re the last")
	seen := map[string]bool{}
	for _, m := range s.messages() {
		if m.ID != "" && seen[m.ID] {
			t.Errorf("two messages have the ID %q", m.ID)
		}
		seen[m.ID] = true
	}
}

func answersAreNotMixed(t *testing.T, s *stage) {
	s.run(echo)
	s.Say(0, "from zero")
	s.Say(1, "from one")
	for person, other := range map[int]string{0: "one", 1: "zero"} {
		all := s.read(person, "re from")
		if strings.Contains(everything(all), "re from "+other) {
			t.Errorf("person %d was told %q", person, all)
		}
	}
}

func orderIsKept(t *testing.T, s *stage) {
	s.run(echo)
	const count = 5
	var want []string
	for i := range count {
		text := fmt.Sprintf("message %d.", i)
		want = append(want, text)
		s.Say(0, text)
	}
	all := everything(s.read(0, "re "+want[count-1]))
	at := -1
	for _, text := range want {
		next := strings.Index(all, "re "+text)
		if next <= at {
			t.Fatalf("the answers came as %q", all)
		}
		at = next
	}
	var handed []string
	for _, m := range s.messages() {
		handed = append(handed, m.Text)
	}
	if strings.Join(handed, "|") != strings.Join(want, "|") {
		t.Errorf("handed %q, want %q", handed, want)
	}
}

func slowHoldsUpNobody(t *testing.T, s *stage) {
	release, asked := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	s.run(func(ctx context.Context, m bot.Message) bot.Reply {
		if m.Text == "slow" {
			close(asked)
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return echo(ctx, m)
	})
	s.Say(0, "slow")
	s.await(asked, "the first message")
	s.Say(1, "fast")
	s.read(1, "re fast")
	free()
	s.read(0, "re slow")
}

func emptyIsSilent(t *testing.T, s *stage) {
	s.run(func(ctx context.Context, m bot.Message) bot.Reply {
		if m.Text == "hush" {
			return bot.Reply{}
		}
		return echo(ctx, m)
	})
	s.Say(0, "hush")
	s.Say(0, "speak")
	all := s.read(0, "re speak")
	if len(all) != 1 {
		t.Errorf("told %q, want the one answer", all)
	}
}

func partsAreSeen(t *testing.T, s *stage) {
	s.run(func(context.Context, bot.Message) bot.Reply {
		return bot.Reply{
			Text: "first paragraph\nsecond paragraph",
			Cards: []bot.Card{{
				Title: "电热水壶 1.7L", Notes: []string{"以结算为准", "another note"},
				Rows:    []bot.Row{{Label: "券后价", Value: "¥69.00", Strong: true}, {Label: "返利", Value: "¥2.84"}},
				Buttons: []bot.Button{{Label: "Buy", URL: "https://example.com/buy"}, {Label: "Why", Action: "why 1"}},
			}},
			Buttons: []bot.Button{{Label: "Help", Action: "help"}},
		}
	})
	s.Say(0, "show me")
	s.read(0, "first paragraph", "second paragraph", "电热水壶 1.7L", "券后价", "¥69.00", "返利", "¥2.84",
		"以结算为准", "another note", "Buy", "Why", "Help")
	_ = t // read fails the test
}

func markupIsText(_ *testing.T, s *stage) {
	const hostile = `<b>1 < 2</b> &amp; & "q" <script>alert('x')</script> *a* _b_ [c](d) \ ${e} {{.F}} %s`
	s.run(func(context.Context, bot.Message) bot.Reply {
		return bot.Reply{Text: "t" + hostile, Cards: []bot.Card{{
			Title: "T" + hostile, Rows: []bot.Row{{Label: "l" + hostile, Value: "v" + hostile}}, Notes: []string{"n" + hostile},
		}}}
	})
	s.Say(0, "show me")
	s.read(0, "t"+hostile, "T"+hostile, "l"+hostile, "v"+hostile, "n"+hostile)
}

func longTextArrives(_ *testing.T, s *stage) {
	var paragraphs []string
	for i := range 120 {
		paragraphs = append(paragraphs, fmt.Sprintf("第%03d段 %s", i, strings.Repeat("返利明细", 15)))
	}
	s.run(func(context.Context, bot.Message) bot.Reply {
		return bot.Reply{Text: strings.Join(paragraphs, "\n")}
	})
	s.Say(0, "everything")
	for n := 1; s.More != nil && n < len(paragraphs); n++ {
		ctx, cancel := context.WithTimeout(s.t.Context(), patience)
		all := s.Read(ctx, 0, func(all []Told) bool { return len(all) == n })
		cancel()
		if hasAll(all, paragraphs) {
			break
		}
		s.More(0)
	}
	s.read(0, paragraphs...)
}

func pressIsAction(t *testing.T, s *stage) {
	s.run(func(ctx context.Context, m bot.Message) bot.Reply {
		if m.Text == "hello" {
			return bot.Reply{Text: "choose", Buttons: []bot.Button{{Label: "Left", Action: "go left"}, {Label: "Right", Action: "go right"}}}
		}
		return echo(ctx, m)
	})
	s.Say(0, "hello")
	s.read(0, "choose", "Right")
	s.Press(0, "Right")
	s.read(0, "re go right")
	all := s.messages()
	last := all[len(all)-1]
	if last.From != s.People[0] || last.Chat != all[0].Chat || last.ID != "" && last.ID == all[0].ID {
		t.Errorf("handed %+v after %+v", last, all[0])
	}
}

func sendReaches(t *testing.T, s *stage) {
	s.run(echo)
	s.Say(0, "hello") // so that we know each other
	s.read(0, "re hello")
	if err := s.Channel.Send(t.Context(), s.People[0], bot.Reply{Text: "your rebate is here"}); err != nil {
		t.Fatalf("Send: %v", err)
	}
	if s.Waits {
		s.Say(0, "news?")
	}
	s.read(0, "your rebate is here")
}

func unreachable(t *testing.T, s *stage) {
	others := []user.Identity{{Channel: "another-" + s.Channel.Name(), External: "1"}}
	if s.Unreachable != (user.Identity{}) {
		others = append(others, s.Unreachable)
	}
	for _, to := range others {
		err := s.Channel.Send(t.Context(), to, bot.Reply{Text: "anybody?"})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("Send to %+v returned %v, want not found", to, err)
		}
		for _, secret := range s.Secrets {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Error("an error tells a secret")
			}
		}
	}
}

func runEnds(t *testing.T, s *stage) {
	endsInTime(t, s, func() { s.run(echo) })
}

// endsInTime holds the end of what begin begins to its time. A busy machine may make it
// late, but not every time: then it is begun again.
func endsInTime(t *testing.T, s *stage, begin func()) {
	t.Helper()
	for try := 1; ; try++ {
		begin()
		took, err := s.stop()
		switch {
		case err != nil:
			t.Fatalf("Run ended with %v, want nil", err)
		case took <= stopMax:
			return
		case try == stopTries:
			t.Fatalf("Run ended after %v, %d times, want it within %v", took, try, stopMax)
		}
	}
}

func runEndsWhileAnswering(t *testing.T, s *stage) {
	endsInTime(t, s, func() {
		asked := make(chan struct{})
		once := sync.OnceFunc(func() { close(asked) }) // what was not answered may come again
		s.run(func(ctx context.Context, _ bot.Message) bot.Reply {
			once()
			<-ctx.Done()
			return bot.Reply{}
		})
		s.Say(0, "hello")
		s.await(asked, "the message")
	})
}

func runAgain(t *testing.T, s *stage) {
	for i := range 2 {
		s.run(echo)
		text := fmt.Sprintf("hello %d", i)
		s.Say(0, text)
		s.read(0, "re "+text)
		if _, err := s.stop(); err != nil {
			t.Errorf("Run returned %v", err)
		}
	}
}

func cutShortComesAgain(t *testing.T, s *stage) {
	asked := make(chan struct{})
	s.run(func(ctx context.Context, _ bot.Message) bot.Reply {
		close(asked)
		<-ctx.Done()
		return bot.Reply{Text: "cut short"}
	})
	s.Say(0, "hello")
	s.await(asked, "the message")
	if _, err := s.stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	s.run(echo)
	if all := s.read(0, "re hello"); strings.Contains(everything(all), "cut short") {
		t.Errorf("told %q: an answer that was cut short is no answer", all)
	}
	if all := s.messages(); len(all) != 2 || all[0] != all[1] {
		t.Errorf("handed %+v, want the same message twice", all)
	}
}

// await waits for something that must happen.
func (s *stage) await(happened <-chan struct{}, what string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	select {
	case <-happened:
	case <-ctx.Done():
		s.t.Fatalf("%s was not handed on within %v", what, patience)
	}
}
