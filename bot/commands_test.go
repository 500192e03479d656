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
	return b.String()
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
