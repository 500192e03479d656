package bot

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// What the word behind "/start" of a private chat begins with.
const (
	invitedMark = "r_" // a code follows
	askedMark   = "p_" // a command follows, and after another _ what stood behind it
)

// invitedForm is a word with the code of who has invited somebody.
var invitedForm = regexp.MustCompile("^" + invitedMark + "([0-9A-Za-z]{1,62})$")

// InvitedBy returns the code in a word that came along when a chat was opened, for channels
// that have such words beside their messages; "" for a word that names nobody.
func InvitedBy(word string) (code string) {
	if m := invitedForm.FindStringSubmatch(word); m != nil {
		return m[1]
	}
	return ""
}

// startMax is how long such a word may be, on every channel.
const startMax = 64

// carried are the commands that bring along what stood behind them. Links can be made by
// anybody: these only look, or claim for whoever opens the link.
var carried = []string{"orders", "order", "why", "claim", "compare", "deals"}

// encoding is how words travel in a link.
var encoding = base64.RawURLEncoding

// privateURL returns what opens a private chat with a word; "" where there is no such
// thing.
func (t *turn) privateURL(word string) string {
	if t.bot.PrivateURL == nil {
		return ""
	}
	return t.bot.PrivateURL(t.m.From.Channel, word)
}

// private asks to go on where nobody reads along. The way there leads to what was asked
// for.
func (t *turn) private(c command, args string) Reply {
	r := t.say("group.private")
	word := ""
	if c.section != "" {
		word = askedMark + c.name
	}
	if long := word + "_" + encoding.EncodeToString([]byte(args)); args != "" && slices.Contains(carried, c.name) && len(long) <= startMax {
		word = long
	}
	if url := t.privateURL(word); url != "" {
		r.Buttons = []Button{{Label: t.T("button.private"), URL: url}}
	}
	return r
}

// reopen answers what was asked for in a group. ok is false for a payload that says
// something else.
func (t *turn) reopen(ctx context.Context, payload string) (r Reply, ok bool, err error) {
	asked, ok := strings.CutPrefix(payload, askedMark)
	if !ok || t.m.Group {
		return Reply{}, false, nil
	}
	name, more, _ := strings.Cut(asked, "_")
	c, ok := commandNamed(name)
	if !ok || c.section == "" {
		return Reply{}, false, nil
	}
	args := ""
	if b, err := encoding.DecodeString(more); err == nil && slices.Contains(carried, name) {
		args = tidy(string(b))
	}
	r, err = t.command(ctx, c, args)
	return r, true, err
}
