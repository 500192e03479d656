package bot

import (
	"strconv"
	"strings"
	"time"

	"fanli/core/desk"
	"fanli/core/money"
)

// valueRunesMax bounds a value that staff read.
const valueRunesMax = 120

// numberOf reads "7" and "#7".
func numberOf(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(s), "#"), 10, 64)
	return n, err == nil && n > 0
}

// answered puts an answer into words.
func (v voice) answered(a desk.Answer) Reply {
	var r Reply
	for _, i := range a.Items {
		r.Cards = append(r.Cards, v.item(i))
	}
	switch {
	case len(a.Items) == 0:
		r.Text = v.T("desk.nothing")
	case a.More > 0:
		r.Cards = append(r.Cards, Card{Title: v.T("desk.more", "n", count(a.More))})
	}
	return r
}

// item puts one thing into words.
func (v voice) item(i desk.Item) Card {
	c := Card{Title: v.T("desk.label." + string(i.Title))}
	if i.ID != "" {
		c.Title += " " + v.network(clean(i.ID, valueRunesMax))
	}
	if i.Wrong {
		c.Title = "⚠ " + c.Title
	}
	for _, f := range i.Fields {
		value := v.value(f)
		switch {
		case value == "":
		case f.Label == "":
			c.Notes = append(c.Notes, value)
		default:
			c.Rows = append(c.Rows, Row{Label: v.T("desk.label." + string(f.Label)), Value: value, Strong: f.Kind == desk.Change})
		}
	}
	for _, s := range i.Steps {
		c.Buttons = append(c.Buttons, v.next(s.Name, s.Args...))
	}
	return c
}

// value writes a value.
func (v voice) value(f desk.Field) string {
	switch f.Kind {
	case desk.Amount:
		return money.Fen(f.N).Yuan()
	case desk.Count:
		return strconv.FormatInt(f.N, 10)
	case desk.Moment:
		if f.N <= 0 {
			return v.word(string(desk.WNone))
		}
		return v.moment(time.UnixMilli(f.N))
	case desk.Change:
		return v.T("desk.change", "was", v.word(f.Was), "is", v.word(f.Text))
	case desk.Word:
		return v.word(f.Text)
	default:
		return clean(f.Text, valueRunesMax)
	}
}

// word writes a stable key of core, or what has none as it is.
func (v voice) word(key string) string {
	if key == "" {
		return v.T("desk.word.none")
	}
	if v.words.Has("desk.word." + key) {
		return v.T("desk.word." + key)
	}
	if text, ok := v.reason(key); ok {
		return text
	}
	return v.network(clean(key, valueRunesMax))
}

// News puts what staff are told unasked into words, in one language.
func (b *Bot) News(n desk.News, tag string) Reply {
	v := b.voice(tag)
	a := desk.Answer{Items: n.Items}
	if n.Count > len(n.Items) && n.What != desk.DayOver {
		a.More = n.Count - len(n.Items)
	}
	r := v.answered(a)
	what := v.word(string(n.What))
	if n.Count > 1 {
		what = v.T("desk.alert_several", "what", what, "n", count(n.Count))
	}
	switch n.Phase {
	case desk.Stays:
		r.Text = v.T("desk.alert_stays", "what", what, "since", v.moment(n.Since))
	case desk.Ends:
		r.Text = v.T("desk.alert_ends", "what", what, "since", v.moment(n.Since))
	default:
		r.Text = v.T("desk.alert", "what", what)
	}
	return r
}
