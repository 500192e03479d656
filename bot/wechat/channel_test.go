package wechat_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/channeltest"
	"fanli/bot/mail"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/logtest"
	"fanli/core/user"
)

// ann and bob follow the account; cat does not.
var ann, bob, cat = wechatfake.OpenID("Ann", 1), wechatfake.OpenID("Bob", 2), wechatfake.OpenID("Cat", 3)

// TestChannel plays the stories of every channel in each mode: on accounts that may write
// to people, and in plain mode on one that may only answer.
func TestChannel(t *testing.T) {
	t.Parallel()
	for _, cfg := range []wechatfake.Config{
		{Profile: wechatfake.Service, Mode: wechatfake.Safe}, {Profile: wechatfake.Service, Mode: wechatfake.Compatible},
		{Profile: wechatfake.Personal, Mode: wechatfake.Plain},
	} {
		t.Run(string(cfg.Mode), func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Subject { return subject(t, cfg) })
		})
	}
}

// queues let people do one thing after the other, and wait for the answer of none.
func queues(t *testing.T, count int) (do func(person int, f func())) {
	t.Helper()
	all := make([]chan func(), count)
	var work sync.WaitGroup
	for i := range all {
		all[i] = make(chan func(), 16)
		work.Go(func() {
			for f := range all[i] {
				f()
			}
		})
	}
	t.Cleanup(func() {
		for _, q := range all {
			close(q)
		}
		work.Wait()
	})
	return func(person int, f func()) { all[person] <- f }
}

func subject(t *testing.T, cfg wechatfake.Config) channeltest.Subject {
	t.Helper()
	w, people := open(t, cfg, nil), []string{ann, bob}
	front := &channeltest.Front{}
	first := front.Behind(w.channel)
	w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(front))
	do := queues(t, len(people))
	say := func(person int, text string) { do(person, func() { w.fake.Say(t.Context(), people[person], text) }) }
	keys := []string{"app_id", "token", "mode", "book"}
	if cfg.Mode != wechatfake.Plain {
		keys = append(keys, "encoding_aes_key")
	}
	return channeltest.Subject{
		Channel: first, People: []user.Identity{identityOf(ann), identityOf(bob)}, Unreachable: identityOf(cat),
		Join: func() bot.Channel {
			w.join(t, cfg, nil)
			return front.Behind(w.channel)
		},
		Say: say,
		Press: func(person int, label string) {
			all := w.fake.Lines(people[person])
			for i := len(all) - 1; i >= 0; i-- {
				if m := regexp.MustCompile(`(?m)(\d) ` + label + `$`).FindStringSubmatch(all[i]); m != nil {
					say(person, m[1])
					return
				}
			}
			t.Errorf("nobody was offered %q: %q", label, all)
		},
		More: func(person int) { say(person, "更多") },
		Read: func(ctx context.Context, person int, wanted func([]channeltest.Told) bool) []channeltest.Told {
			for {
				all := seen(w.fake.Seen(people[person]))
				if wanted(all) || ctx.Err() != nil {
					return all
				}
				select { // the fake tells nobody that something has come
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
				}
			}
		},
		Again: func(person, copies int) func() []string { return w.again(t, front, people[person], copies) },
		Forge: func(person int, text string) []channeltest.Forgery {
			return w.forgeries(t, cfg.Mode, people[person], text)
		},
		Refused: w.refused,
		Hide: map[string]func(person int, words, address string){
			"a shared page": func(person int, words, address string) {
				do(person, func() { w.fake.Share(t.Context(), people[person], words, "", address) })
			},
		},
		Keys: keys, Make: func(without ...string) error { return w.make(t, cfg, without) },
		Waits: cfg.Profile == wechatfake.Personal, Redelivers: true, Logs: w.logs.String,
		Secrets: []string{w.fake.Token(), w.fake.AESKey(), w.fake.Secret(), ann, bob},
	}
}

// again delivers a person's newest message again. It returns once all copies are with a
// process, which may keep them until the message is answered.
func (w *world) again(t *testing.T, front *channeltest.Front, openid string, copies int) func() []string {
	var outcomes []wechatfake.Outcome
	done := make(chan struct{})
	before := front.Handed()
	go func() {
		defer close(done)
		outcomes = w.fake.Again(t.Context(), openid, copies)
	}()
	front.AwaitHanded(t.Context(), before+copies)
	return func() (answers []string) {
		<-done
		for _, o := range outcomes {
			if o.Verdict == wechatfake.Faulted {
				t.Errorf("a copy is not answered: %s", o.Why)
			}
			answers = append(answers, o.Seen.Text)
		}
		return answers
	}
}

// forgeries are all that the fake knows; what it does in the platform's own name, as to
// deliver again, is none.
func (w *world) forgeries(t *testing.T, mode wechatfake.Mode, openid, text string) (all []channeltest.Forgery) {
	for _, f := range wechatfake.Forgeries() {
		send := func() wechatfake.Delivery { return w.fake.Forge(t.Context(), openid, text, f) }
		switch {
		case f.Redelivery(), f.Sealed() && mode == wechatfake.Plain:
			continue
		case f == wechatfake.Replayed: // see TestRedeliveries, where half a minute goes by
			continue
		case f == wechatfake.Reused: // else a message that is right would be heard first
			send = func() wechatfake.Delivery { return w.fake.Reuse(t.Context(), openid) }
		}
		all = append(all, forgery(string(f), send))
	}
	return append(all, forgery("the console's test", func() wechatfake.Delivery {
		d, _ := w.fake.CheckForged(t.Context())
		return d
	}))
}

func forgery(name string, send func() wechatfake.Delivery) channeltest.Forgery {
	return channeltest.Forgery{Name: name, Send: func() (int, string) {
		d := send()
		return d.Status, d.Body
	}}
}

// make makes a channel without some of what it needs.
func (w *world) make(t *testing.T, cfg wechatfake.Config, without []string) error {
	o := w.options(t, cfg, wechat.NewOffice(&mail.Engine{Store: w.store, Now: time.Now, Log: logtest.New(nil)}, time.Now))
	for _, key := range without {
		switch key {
		case "app_id":
			o.AppID = ""
		case "token":
			o.Token = ""
		case "mode":
			o.Mode = "open"
		case "book":
			o.Book = nil
		case "encoding_aes_key":
			o.AESKey = o.AESKey[:20]
		}
	}
	_, err := wechat.New(o)
	return err
}

// seen is what a person sees: a link by its label.
func seen(all []wechatfake.Seen) []channeltest.Told {
	var out []channeltest.Told
	for _, s := range all {
		out = append(out, channeltest.Told{Text: strings.TrimSpace(linked.ReplaceAllString(s.String(), "$1"))})
	}
	return out
}

var linked = regexp.MustCompile(`<a href="[^"]*">([^<]*)</a>`)
