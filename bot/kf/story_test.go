package kf_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/kf/kffake"
	"fanli/core/link"
	"fanli/core/user"
)

// TestStory plays the whole story: to open the chat, to paste, to buy, to get the money, to
// send the goods back. -update writes what people read anew.
func TestStory(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/story.txt")
	if err != nil {
		t.Fatal(err)
	}
	got := tell(t, string(script))
	const file = "testdata/story_told.txt"
	if bottest.Updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s differs, %v; -update writes it anew\n%s", file, err, firstDifference(string(want), got))
	}
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// A teller plays a story.
type teller struct {
	t      *testing.T
	w      *world
	world  bottest.World
	out    strings.Builder
	person string
	read   map[string]int
}

// tell plays a story and returns what was read.
func tell(t *testing.T, script string) string {
	t.Helper()
	f := bottest.New(t)
	p := &teller{t: t, world: f.World(), person: ann, read: map[string]int{}}
	f.Bot.Landing = func(link.Link) string { return "https://fanli.example/l/1" }
	p.w = open(t, kffake.Config{Now: f.Clock.Now}, nil)
	p.w.run(t, func(ctx context.Context, m bot.Message) bot.Reply {
		m.From.Channel = p.world.Channel // whose people are on a channel of its own
		return p.world.Handle(ctx, m)
	})
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		fmt.Fprintln(&p.out, line)
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "as":
			p.person = map[string]string{"ann": ann, "bob": bob}[rest]
		case ">":
			p.w.fake.Say(t.Context(), p.person, p.fill(rest))
		case "+":
			p.does(rest)
		case "!":
			words := strings.Fields(strings.ReplaceAll(rest, "by me", "by "+p.person))
			if err := p.world.Directives[words[0]](words[1:]...); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		default:
			continue
		}
		p.settled()
		p.notices()
		p.shown()
	}
	return p.out.String()
}

// settled waits until all that was written is read, answered and delivered.
func (p *teller) settled() {
	until(p.t, "all is answered", func() bool {
		if !p.w.kept.has(p.w.fake.Cursor()) {
			return false
		}
		depths, err := p.w.store.Depths(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, d := range depths {
			if d.Waiting > 0 {
				return false
			}
		}
		return true
	})
}

// notices brings what people are told unasked.
func (p *teller) notices() {
	for _, n := range p.world.Told() {
		to := user.Identity{Channel: "kf", External: n.To.External}
		if err := p.w.channel.Send(p.t.Context(), to, n.Reply); err != nil {
			fmt.Fprintln(&p.out, "  (nobody is told: "+err.Error()+")")
		}
	}
}

// shown writes down what there is to read.
func (p *teller) shown() {
	all := p.w.fake.Seen(p.person)
	for _, s := range all[p.read[p.person]:] {
		for i, line := range strings.Split(s.String(), "\n") {
			mark := "  | "
			if i == 0 {
				mark = map[string]string{"message": "  < ", "greeting": "  « "}[s.By]
			}
			fmt.Fprintln(&p.out, strings.TrimRight(mark+line, " "))
		}
	}
	p.read[p.person] = len(all)
}

var codeForm = regexp.MustCompile(`确认 \d{4}`)

// fill puts in what was read last.
func (p *teller) fill(s string) string {
	if !strings.Contains(s, "{确认}") {
		return s
	}
	lines := p.w.fake.Lines(p.person)
	return strings.ReplaceAll(s, "{确认}", codeForm.FindString(lines[len(lines)-1]))
}

// does lets the person do something else than write, or one of ours.
func (p *teller) does(what string) {
	ctx, fake := p.t.Context(), p.w.fake
	word, arg, _ := strings.Cut(what, " ")
	switch word {
	case "enter":
		fake.Enter(ctx, p.person, arg)
	case "tap":
		if _, ok := fake.Tap(ctx, p.person, arg); !ok {
			p.t.Fatalf("nobody was offered %s", arg)
		}
	case "show":
		fake.Show(ctx, p.person, arg)
	case "share":
		title, address, _ := strings.Cut(arg, " ")
		fake.Share(ctx, p.person, title, "好物", address)
	case "lead":
		fake.Lead(ctx, p.person, arg)
	default:
		p.t.Fatalf("nobody knows how to %s", what)
	}
}
