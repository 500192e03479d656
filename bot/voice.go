package bot

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanli/bot/locale"
	"fanli/core/fault"
	"fanli/core/money"
)

// A voice speaks one language at one moment.
type voice struct {
	words *locale.Words
	zone  *time.Location
	now   time.Time
}

// T returns a text; see package locale.
func (v voice) T(key string, pairs ...string) string { return v.words.T(key, pairs...) }

// say makes a reply of one text.
func (v voice) say(key string, pairs ...string) Reply { return Reply{Text: v.T(key, pairs...)} }

// reason returns the sentence for a stable key of core or an adapter.
func (v voice) reason(key string, pairs ...string) (text string, ok bool) {
	if key == "" || !v.words.Has("reason."+key) {
		return "", false
	}
	return v.T("reason."+key, pairs...), true
}

// network returns what people call a network.
func (v voice) network(name string) string {
	if v.words.Has("network." + name) {
		return v.T("network." + name)
	}
	return name
}

// channel is how people call a channel.
func (v voice) channel(name string) string {
	if v.words.Has("channel." + name) {
		return v.T("channel." + name)
	}
	return name
}

// next is a button that sends a command.
func (v voice) next(name string, args ...string) Button {
	word := commandWord(v.words.Tag(), name)
	if len(args) == 0 {
		return Button{Label: word, Action: word}
	}
	action := cutBytes(word+" "+strings.Join(args, " "), actionBytesMax)
	if utf8.RuneCountInString(action) <= labelRunesMax {
		word = action
	}
	return Button{Label: word, Action: action}
}

// Limits of buttons: the action is what Telegram takes, the label what fits on a
// phone beside another one.
const (
	actionBytesMax = 64
	labelRunesMax  = 16
)

// date writes a day, with the year if it is another one than now.
func (v voice) date(t time.Time) string {
	t = t.In(v.zone)
	if t.Year() != v.now.In(v.zone).Year() {
		return t.Format(v.T("format.date_year"))
	}
	return t.Format(v.T("format.date"))
}

// moment writes a day and a time.
func (v voice) moment(t time.Time) string {
	return v.date(t) + t.In(v.zone).Format(v.T("format.time"))
}

// span writes how long something takes, in whole units.
func (v voice) span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return v.T("span.days", "n", count(int(d/day)))
	case d >= 2*time.Hour:
		return v.T("span.hours", "n", count(int(d/time.Hour)))
	default:
		return v.T("span.minutes", "n", count(int(d/time.Minute)))
	}
}

func count(n int) string { return strconv.Itoa(n) }

// signed writes an amount that comes or goes.
func signed(n money.Fen) string {
	if n > 0 {
		return "+" + n.Yuan()
	}
	return n.Yuan()
}

// clean makes a text of somebody else safe and short: one line without anything
// invisible in it, so that it cannot turn the text around it.
func clean(s string, runesMax int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case hidden(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), runesMax)
}

// hidden reports whether a rune has no shape of its own: controls, marks of
// direction, blanks without width, tags.
func hidden(r rune) bool {
	return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == '\u3164' || r == '\uFFFD'
}

// cut shortens s to max characters.
func cut(s string, max int) string {
	r := []rune(s)
	if len(r) <= max {
		return s
	}
	return string(r[:max-1]) + "…"
}

// cutBytes shortens s to max bytes without breaking a character.
func cutBytes(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.TrimSpace(strings.ToValidUTF8(s[:max], ""))
}

// expected reports whether an error is an answer rather than a failure.
func expected(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Denied, fault.Insufficient, fault.Limited:
		return true
	default:
		return false
	}
}
