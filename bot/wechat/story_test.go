package wechat_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/link"
	"fanli/core/user"
)

// TestStory plays the whole story on every kind of account: to follow, to paste, to buy,
// to get the money, to send the goods back. What people read depends on what the account
// may do, and not on how messages travel. -update writes what they read anew.
func TestStory(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/story.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range []wechatfake.Profile{wechatfake.Personal, wechatfake.Subscription, wechatfake.Service, wechatfake.Sandbox} {
		for _, mode := range []wechatfake.Mode{wechatfake.Safe, wechatfake.Compatible, wechatfake.Plain} {
			t.Run(string(profile)+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				got := tell(t, string(script), profile, mode)
				if !bottest.Updating() || mode == wechatfake.Safe {
					golden(t, "testdata/story_"+string(profile)+".txt", got)
				}
			})
		}
	}
}

// golden holds what was read to a file, or writes it anew.
func golden(t *testing.T, file, got string) {
	t.Helper()
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
	f      *bottest.Fake
	world  bottest.World
	out    strings.Builder
	person string
	read   map[string]int
}

// openids are those of the people in stories.
func openids(name string) string {
	switch name {
	case "bob":
		return bob
	case "cat":
		return cat
	default:
		return ann
	}
}

// tell plays a story and returns what was read.
func tell(t *testing.T, script string, profile wechatfake.Profile, mode wechatfake.Mode) (read string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { read = told(t, script, profile, mode) })
	return read
}

func told(t *testing.T, script string, profile wechatfake.Profile, mode wechatfake.Mode) string {
	t.Helper()
	f := bottest.New(t)
	f.Bot.OwnPayee = func(from user.Identity) (string, bool) { return from.External, true }
	p := &teller{t: t, f: f, world: f.World(), person: ann, read: map[string]int{}}
	cfg := wechatfake.Config{Profile: profile, Mode: mode, Now: f.Clock.Now}
	f.Bot.Landing = func(link.Link) string { return "https://fanli.example/l/1" }
	p.w = open(t, cfg, nil)
	f.Bot.InvitePicture = func(ctx context.Context, of user.Identity, word string) (bot.Picture, bool) {
		return p.w.channel.InvitePicture(ctx, of.External, word)
	}
	p.w.run(t, p.handle)
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		fmt.Fprintln(&p.out, line)
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "as":
			p.person = openids(rest)
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
		p.notices()
		p.shown()
	}
	return p.out.String()
}

// handle lets the bot of the world answer, whose people are on a channel of its own.
func (p *teller) handle(ctx context.Context, m bot.Message) bot.Reply {
	m.From.Channel = p.world.Channel
	return p.world.Handle(ctx, m)
}

// notices brings what people are told unasked.
func (p *teller) notices() {
	for _, n := range p.world.Told() {
		to := user.Identity{Channel: wechat.Name, External: n.To.External}
		if err := p.w.channel.Send(p.t.Context(), to, n.Reply); err != nil {
			fmt.Fprintln(&p.out, "  (nobody is told: "+err.Error()+")")
		}
	}
}

// shown writes down what there is to read, once what follows an answer has come.
func (p *teller) shown() {
	time.Sleep(2 * time.Second) // the bubble's; the story's clock stands
	synctest.Wait()
	all := p.w.fake.Seen(p.person)
	for _, s := range all[p.read[p.person]:] {
		for i, line := range strings.Split(s.String(), "\n") {
			mark := "  | "
			if i == 0 {
				mark = map[string]string{"reply": "  < ", "custom": "  « "}[s.By]
				if mark == "" {
					mark = "  (" + s.By + ") "
				}
			}
			fmt.Fprintln(&p.out, strings.TrimRight(mark+ticket.ReplaceAllString(line, "?ticket=…"), " "))
		}
	}
	p.read[p.person] = len(all)
}

var code = regexp.MustCompile(`确认 \d{4}`)

// picture is the address of the picture of a code, and ticket what is another one each time.
var (
	picture = regexp.MustCompile(`https://mp\.weixin\.qq\.com/cgi-bin/showqrcode\?ticket=[^"]+`)
	ticket  = regexp.MustCompile(`\?ticket=[^"]+`)
)

// fill puts in what was read last.
func (p *teller) fill(s string) string {
	if !strings.Contains(s, "{确认}") {
		return s
	}
	lines := p.w.fake.Lines(p.person)
	return strings.ReplaceAll(s, "{确认}", code.FindString(lines[len(lines)-1]))
}

// does lets the person do something else than write.
func (p *teller) does(what string) {
	ctx, fake := p.t.Context(), p.w.fake
	words := strings.Fields(what)
	arg := strings.Join(words[1:], " ")
	switch words[0] {
	case "follow":
		fake.Follow(ctx, p.person, arg)
	case "unfollow":
		fake.Unfollow(ctx, p.person)
	case "scan": // the picture that somebody was shown
		if all := picture.FindAllString(strings.Join(fake.Lines(openids(arg)), "\n"), -1); len(all) > 0 {
			fake.ScanPicture(ctx, p.person, all[len(all)-1])
		} else {
			fmt.Fprintln(&p.out, "  (there is nothing to scan)")
		}
	case "click":
		fake.Click(ctx, p.person, arg)
	case "image":
		fake.Show(ctx, p.person, "https://mmbiz.example/1.jpg")
	case "voice":
		fake.Speak(ctx, p.person, arg)
	case "share":
		fake.Share(ctx, p.person, words[1], "好物", words[2])
	default:
		p.t.Fatalf("nobody knows how to %s", what)
	}
}
