// Package bottest plays conversations that are written down as text.
//
// A file is a conversation. Lines that begin with ">" are what a person sends,
// lines that begin with "<" are what they are told, "!" makes something happen
// in the world, and everything else is prose for the reader:
//
//	A person asks for the balance after buying a kettle.
//
//	> https://item.jd.com/100012043978.html
//	< 美的电热水壶
//	...
//	! buy kettle
//	> 余额
//	< 你的返利
//
// In a message, \n is a line feed and \u202e that character, and a message in square brackets presses the
// button of the last answers that has this label. With -update the answers in
// the files are written anew; the diff is the review.
//
// These directives are the player's own, the others are the [World]'s:
//
//	! as bob          who speaks from here on; at first it is ann
//	! group           others read along from here on; "group staff" is that of staff
//	! private         nobody does
//	! id m7           the id of the next message
//	! hint en         what the channel says about the person's language
//	! repeat 9000 x   sends a text 9,000 times over in one message
package bottest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"fanli/bot"
	"fanli/core/user"
)

var update = flag.Bool("update", false, "write golden files anew")

// Updating reports whether golden files are written anew. Tests beside this
// package's share its flag.
func Updating() bool { return *update }

// A Told is what somebody was told without asking.
type Told struct {
	To    user.Identity
	Reply bot.Reply
}

// A World is what a conversation takes place in.
type World struct {
	// Handle answers.
	Handle bot.Handler
	// Channel is the channel of those who speak.
	Channel string
	// Directives make things happen, by the first word behind "!"; they get the
	// other words.
	Directives map[string]func(args ...string) error
	// Told returns what people were told unasked since the last call; optional.
	Told func() []Told
}

// PlayAll plays every file that a pattern finds, each in a world of its own.
func PlayAll(t *testing.T, pattern string, open func(t *testing.T) World) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues at %s: %v", pattern, err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			Play(t, f, open(t))
		})
	}
}

// Play plays one file and compares what people were told with what it says.
func Play(t *testing.T, file string, w World) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, w: w, person: "ann"}
	for i, line := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
		p.line(i+1, line)
	}
	got := strings.Join(p.out, "\n") + "\n"
	if got == string(b) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s: the answers differ; -update writes them anew\n%s", file, diff(string(b), got))
}

// A player is one conversation under way.
type player struct {
	t       *testing.T
	w       World
	out     []string
	person  string
	group   string // the chat in which others read along; "" for none
	hint    string
	id      string // of the next message
	sent    int
	buttons []bot.Button // of the latest answers
}

func (p *player) line(n int, line string) {
	kind, rest, _ := strings.Cut(line, " ")
	if kind == "<" {
		return
	}
	p.out = append(p.out, line)
	switch kind {
	case ">":
		p.say(unescape(rest))
	case "!":
		words := strings.Fields(rest)
		if len(words) == 0 {
			p.t.Fatalf("line %d: what should happen?", n)
		}
		if err := p.do(words[0], words[1:]); err != nil {
			p.t.Fatalf("line %d: %s: %v", n, line, err)
		}
	default:
		return
	}
	p.told()
}

var escaped = regexp.MustCompile(`\\n|\\u[0-9a-f]{4}`)

// unescape puts in what cannot be seen in a file.
func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		if e == `\n` {
			return "\n"
		}
		r, _ := strconv.ParseUint(e[2:], 16, 32) // four hexadecimal digits
		return string(rune(r))
	})
}

func (p *player) do(what string, args []string) error {
	arg := strings.Join(args, " ")
	switch what {
	case "as":
		p.person = arg
	case "group":
		p.group = arg
		if arg == "" {
			p.group = "group"
		}
	case "private":
		p.group = ""
	case "id":
		p.id = arg
	case "hint":
		p.hint = arg
	case "repeat":
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		p.say(strings.Repeat(strings.Join(args[1:], " "), n))
	default:
		f, ok := p.w.Directives[what]
		if !ok {
			return fmt.Errorf("nobody knows how")
		}
		return f(args...)
	}
	return nil
}

func (p *player) say(text string) {
	p.t.Helper()
	if label, ok := strings.CutPrefix(text, "["); ok {
		text = p.press(strings.TrimSuffix(label, "]"))
	}
	p.sent++
	m := bot.Message{
		From: user.Identity{Channel: p.w.Channel, External: p.person}, Chat: p.person,
		ID: fmt.Sprintf("m%d", p.sent), Text: text, Locale: p.hint, Group: p.group != "",
	}
	if m.Group {
		m.Chat = p.group
	}
	if p.id != "" {
		m.ID, p.id = p.id, ""
	}
	p.buttons = nil
	p.answer("", p.w.Handle(p.t.Context(), m))
}

// press finds what the button with a label sends.
func (p *player) press(label string) string {
	for _, b := range p.buttons {
		if b.Label == label && b.Action != "" {
			return b.Action
		}
	}
	p.t.Fatalf("there is no button %q to press", label)
	return ""
}

// answer writes down a reply.
func (p *player) answer(prefix string, r bot.Reply) {
	p.t.Helper()
	Check(p.t, r)
	p.buttons = append(p.buttons, r.Buttons...)
	for _, c := range r.Cards {
		p.buttons = append(p.buttons, c.Buttons...)
	}
	text := bot.RenderText(r)
	if text == "" {
		text = "(nothing)"
	}
	for i, line := range strings.Split(text, "\n") {
		if i == 0 {
			line = prefix + line
		}
		p.out = append(p.out, strings.TrimRight("< "+line, " "))
	}
}

func (p *player) told() {
	if p.w.Told == nil {
		return
	}
	for _, n := range p.w.Told() {
		who := ""
		if n.To.External != p.person {
			who = " to " + n.To.External
		}
		p.answer("(unasked"+who+") ", n.Reply)
	}
}

// Limits that every channel can keep.
const (
	buttonsMax     = 2  // next steps of one answer
	actionBytesMax = 64 // Telegram's
	replyBytesMax  = 8 << 10
)

// unfilled is a name in a text that nobody gave a value.
var unfilled = regexp.MustCompile(`\{[a-z_]{2,}\}`)

// Check holds a reply against what every reply promises.
func Check(t *testing.T, r bot.Reply) {
	t.Helper()
	if len(r.Buttons) > buttonsMax {
		t.Errorf("%d next steps, want at most %d: %v", len(r.Buttons), buttonsMax, r.Buttons)
	}
	all := r.Buttons
	for _, c := range r.Cards {
		all = append(all[:len(all):len(all)], c.Buttons...)
	}
	for _, b := range all {
		does := 0
		for _, s := range []string{b.Action, b.URL, b.Copy} {
			if s != "" {
				does++
			}
		}
		if b.Label == "" || does != 1 {
			t.Errorf("a button needs a label and does exactly one thing: %+v", b)
		}
		if len(b.Action) > actionBytesMax || !utf8.ValidString(b.Action) {
			t.Errorf("an action is at most %d bytes of valid text: %q", actionBytesMax, b.Action)
		}
	}
	text := bot.RenderText(r)
	if len(text) > replyBytesMax {
		t.Errorf("an answer of %d bytes", len(text))
	}
	if name := unfilled.FindString(text); name != "" {
		t.Errorf("%s has no value: %s", name, text)
	}
}

// diff shows where two texts begin to differ.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, a, b)
		}
	}
	return "only at the end"
}
