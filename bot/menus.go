package bot

import "slices"

// The menus of channels are short: nobody reads a list of thirty lines. All other commands
// work as well, and the help has them.

// menued are the commands that a menu shows to people, in its order.
func menued() []string {
	return []string{"start", "coupon", "search", "compare", "orders", "claim", "balance", "withdraw", "invite", "me", "help", "support"}
}

// groupMenued are those that a menu shows where others read along: what is asked for in a
// group, of which the rest is private.
func groupMenued() []string { return []string{"coupon", "search", "help"} }

// keyed are the commands that stay at hand below a private chat. "More" is none of them: it
// turns the pages of a list, and whoever looks for more wants the help.
func keyed() []string { return []string{"coupon", "orders", "balance", "help"} }

// Menu returns the commands for a channel's menu in private chats, in one language, without
// those that are named: they are switched off.
func Menu(tag string, without ...string) []Command { return chosen(menued(), tag, without) }

// GroupMenu returns the commands for a channel's menu in groups, in one language.
func GroupMenu(tag string) []Command { return chosen(groupMenued(), tag, nil) }

// chosen describes commands in one language.
func chosen(names []string, tag string, without []string) (out []Command) {
	v := voiceOf(tag)
	for _, name := range names {
		if c, ok := commandNamed(name); ok && !slices.Contains(without, name) {
			out = append(out, Command{name, slices.Clone(c.in(v.words.Tag())), v.T("help." + name), c.group})
		}
	}
	return out
}

// keys are the words that stay at hand, in the person's language; none in groups.
func (t *turn) keys() (words []string) {
	if t.m.Group {
		return nil
	}
	for _, name := range keyed() {
		words = append(words, commandWord(t.words.Tag(), name))
	}
	return words
}
