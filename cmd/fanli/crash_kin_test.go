package main

import (
	"time"

	"fanli/core/link"
)

// codesByHour makes the codes by which accounts are linked depend on the time alone.
func codesByHour(w *little, a *app) { a.users.Rand = hourRand{w} }

// kin is a tale of bob, who turns out to be ann: what he has, has coming and owes
// nobody becomes hers, an order of his settles meanwhile, and it is undone.
func (s *tale) kin() []stepOf {
	w := s.w
	asks := func(who, id string, text func() string) func() error {
		return func() error { s.ask = w.say(who, id, text()); return s.answered(s.ask) }
	}
	confirms := func(who, id string) func() error {
		return func() error { return s.answered(w.say(who, id, confirmation(s.ask))) }
	}
	fixed := func(text string) func() string { return func() string { return text } }
	return []stepOf{
		{"ann", s.says("ann", "k1", "余额")},
		{"kettle", s.buys("bob", "k2", link.JD, 1, "kettle")},
		{"check in", s.says("bob", "k3", "签到")},
		{"seen", s.jobs(time.Hour)},
		{"code", s.asks("bob", "k4", "关联", func(text string) { s.last["code"] = text })},
		{"preview", asks("ann", "k5", func() string { return s.last["code"] })},
		{"linked", confirms("ann", "k6")},
		{"one", s.jobs(time.Minute)},
		{"kettle settled", s.settles(link.JD, "kettle")},
		{"hers", s.jobs(time.Hour)},
		{"unlink", asks("bob", "k7", fixed("解绑"))},
		{"unlinked", confirms("bob", "k8")},
		{"two", s.jobs(time.Minute)},
	}
}
