package bot_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/locale"
	"fanli/core/desk"
	"fanli/core/user"
)

// TestCommandsDocument holds docs/commands.md against the table. -update writes
// it anew.
func TestCommandsDocument(t *testing.T) {
	t.Parallel()
	const file = "../docs/commands.md"
	want := document()
	if bottest.Updating() {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s does not say what the table says; -update writes it anew", file)
	}
}

func document() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nWhat people can send, written from the table in `bot/command.go`. Both languages always work, " +
		"with or without a slash,\nin any case, in simplified or traditional characters. A link, a 口令 or a product's name needs no command.\n\n" +
		"| command | 中文 | English | 说明 | in groups |\n|---|---|---|---|---|\n")
	zh, en := bot.Commands(locale.Chinese), bot.Commands(locale.English)
	for i, c := range zh {
		group := ""
		if c.Group {
			group = "yes"
		}
		fmt.Fprintf(&b, "| `/%s` | %s | %s | %s | %s |\n", c.Name, strings.Join(c.Words, " · "), strings.Join(en[i].Words, " · "),
			c.Help+"<br>"+en[i].Help, group)
	}
	b.WriteString("\n## For staff\n\nWords of members of staff in their group (docs/staff.md); for everybody else, and everywhere else, they are words like " +
		"any other.\nWhat asks for a code changes something.\n\n| command | 中文 | English | 说明 | roles | code |\n|---|---|---|---|---|---|\n")
	zh, en = bot.StaffCommands(locale.Chinese), bot.StaffCommands(locale.English)
	for i, c := range zh {
		roles, code := bot.StaffRights(c.Name)
		var names []string
		for _, r := range roles {
			names = append(names, string(r))
		}
		who, asks := strings.Join(names, ", "), ""
		if len(roles) == len(desk.Roles()) {
			who = "all"
		}
		if code {
			asks = "yes"
		}
		fmt.Fprintf(&b, "| `/%s` | %s | %s | %s | %s | %s |\n", c.Name, strings.Join(c.Words, " · "), strings.Join(en[i].Words, " · "),
			c.Help+"<br>"+en[i].Help, who, asks)
	}
	return b.String()
}

// TestStaffCommands holds the two tables together: what desk can do has a command, and
// what a command asks for can be done; and channels can list them.
func TestStaffCommands(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, tag := range locale.Tags() {
		for _, c := range bot.StaffCommands(tag) {
			if _, ok := desk.SpecOf(c.Name); !ok && c.Name != "second" {
				t.Errorf("nobody does %s", c.Name)
			}
			if n := len([]rune(c.Help)); n == 0 || n > 120 {
				t.Errorf("%s: a menu takes 120 characters, not %d", c.Name, n)
			}
			for _, w := range c.Words {
				if of, ok := seen[w]; ok && of != c.Name {
					t.Errorf("%q is a word of %s and of %s", w, of, c.Name)
				}
				seen[w] = c.Name
			}
			seen[c.Name] = c.Name
		}
	}
	for _, s := range desk.Specs() {
		if seen[s.Name] == "" {
			t.Errorf("no command asks for %s", s.Name)
		}
	}
}

// TestStaffWordsAreUnknownOutside sends every word of staff where it is none, by
// somebody who is staff: the answer is that to a word that nobody knows.
func TestStaffWordsAreUnknownOutside(t *testing.T) {
	t.Parallel()
	users := map[string]bool{}
	for _, tag := range locale.Tags() {
		for _, c := range bot.Commands(tag) {
			users[c.Name] = true
			for _, w := range c.Words {
				users[strings.ToLower(w)] = true
			}
		}
	}
	f := bottest.New(t)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.World().Directives["staff"]("olga", "owner"))
	say := func(chat, text string) string {
		return bot.RenderText(f.Handle(t.Context(), bot.Message{
			From: user.Identity{Channel: "test", External: "olga"}, Chat: chat, Text: text, Locale: "en", Group: chat != "olga",
		}))
	}
	say("olga", "/zzzz")
	for _, tag := range locale.Tags() {
		for _, c := range bot.StaffCommands(tag) {
			for _, w := range append(c.Words, c.Name) {
				if users[strings.ToLower(w)] {
					continue // everybody has that word, for something of their own
				}
				unknown := say("olga", "/zzzz zz")
				if got := say("olga", "/"+w+" 1 2 3"); got != unknown && !strings.Contains(got, "Did you mean") {
					t.Errorf("%q in private is answered with\n%s", w, got)
				}
				if got := say("another group", w+" 1 2 3"); got != "" {
					t.Errorf("%q in another group is answered with\n%s", w, got)
				}
			}
		}
	}
}

// TestCommands checks what channels rely on.
func TestCommands(t *testing.T) {
	t.Parallel()
	slash := regexp.MustCompile(`^[a-z]{1,32}$`)
	seen := map[string]string{}
	for _, tag := range locale.Tags() {
		for _, c := range bot.Commands(tag) {
			if !slash.MatchString(c.Name) {
				t.Errorf("%q cannot be a slash command", c.Name)
			}
			if c.Help == "" || len(c.Help) > 256 || len(c.Words) == 0 {
				t.Errorf("%s: %q cannot be in a menu", c.Name, c.Help)
			}
			for _, w := range c.Words {
				if of, ok := seen[w]; ok && of != c.Name {
					t.Errorf("%q is a word of %s and of %s", w, of, c.Name)
				}
				seen[w] = c.Name
			}
		}
	}
}

// TestMenus: what channels list is short, is there, and says the same in both languages.
// What is switched off is left out.
func TestMenus(t *testing.T) {
	t.Parallel()
	for _, tag := range locale.Tags() {
		private, group := bot.Menu(tag), bot.GroupMenu(tag)
		if len(private) != 12 || len(group) != 3 || len(bot.Menu(tag, "claim", "level")) != 11 {
			t.Errorf("%s: %d commands in private, %d in groups", tag, len(private), len(group))
		}
		for _, c := range append(private, group...) {
			if c.Help == "" || len([]rune(c.Help)) > 120 || len(c.Words) == 0 {
				t.Errorf("%s: %s cannot be in a menu", tag, c.Name)
			}
		}
		for _, c := range group {
			if !c.Group {
				t.Errorf("%s is listed in groups, and does not work there", c.Name)
			}
		}
	}
}

// TestKeys: what stays at hand is told with the greeting and with the list of commands, in
// the person's language, and not where others read along. Each key says a command.
func TestKeys(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	say := func(tag, text string, group bool) bot.Reply {
		return f.Handle(t.Context(), bot.Message{From: user.Identity{Channel: "test", External: "key " + tag}, Chat: tag, Text: text, Locale: tag, Group: group})
	}
	for tag, want := range map[string]string{"zh": "[查券 订单 余额 帮助]", "en": "[coupon orders balance help]"} {
		for text, has := range map[string]bool{"/start": true, "/help": true, "/help orders": false, "/balance": false} {
			got := say(tag, text, false)
			if has != (fmt.Sprint(got.Keys) == want) || !has && got.Keys != nil {
				t.Errorf("%s, %s: the keys are %v", tag, text, got.Keys)
			}
			for _, k := range got.Keys {
				if r := say(tag, k, false); r.Nothing || r.Text == "" && len(r.Cards) == 0 {
					t.Errorf("%s: the key %s says nothing: %+v", tag, k, r)
				}
			}
		}
		if r := say(tag, "/help", true); r.Keys != nil {
			t.Errorf("%s: in a group there are the keys %v", tag, r.Keys)
		}
	}
}

// TestEveryWordWorks sends every documented word, in every way of writing it, and
// wants the answer that the command's own name gets.
func TestEveryWordWorks(t *testing.T) {
	t.Parallel()
	ways := []func(string) string{
		func(w string) string { return w },
		func(w string) string { return "/" + w },
		func(w string) string { return "【" + w + "】" },
		func(w string) string { return "  " + strings.ToUpper(w) + "。" },
		fullWidth,
	}
	for _, tag := range locale.Tags() {
		for _, c := range bot.Commands(tag) {
			t.Run(tag+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				for _, w := range c.Words {
					for _, way := range ways {
						text := way(w)
						if got, want := fresh(t, tag, text), fresh(t, tag, "/"+c.Name); got != want {
							t.Errorf("%q is answered with\n%s\nwant\n%s", text, got, want)
						}
					}
				}
			})
		}
	}
}

// fresh is the first answer in a new world.
func fresh(t *testing.T, tag, text string) string {
	t.Helper()
	f := bottest.New(t)
	r := f.Handle(t.Context(), bot.Message{From: user.Identity{Channel: "test", External: "ann"}, Chat: "ann", Text: text, Locale: tag})
	bottest.Check(t, r)
	return bot.RenderText(r)
}

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}, s)
}
