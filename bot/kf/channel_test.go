package kf_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/channeltest"
	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel.
func TestChannel(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		cfg, people := kffake.Config{PageSize: 2}, []string{ann, bob}
		w, front := open(t, cfg, nil), &channeltest.Front{}
		behind := func(c *kf.Channel) bot.Channel {
			w.fake.Connect("http://fanli.example/wecom", kffake.Local(front))
			return front.Behind(c)
		}
		return channeltest.Subject{
			Channel: behind(w.channel), Join: func() bot.Channel { return behind(w.join(t, cfg, nil)) },
			People: []user.Identity{identity(ann), identity(bob)}, Unreachable: identity(cat),
			Say: func(person int, text string) { w.fake.Say(t.Context(), people[person], text) },
			Press: func(person int, label string) {
				if _, ok := w.fake.Tap(t.Context(), people[person], label); !ok {
					t.Errorf("nobody was offered %q: %q", label, w.fake.Lines(people[person]))
				}
			},
			More: func(person int) { w.fake.Say(t.Context(), people[person], "更多") },
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
			Again: func(person, copies int) func() []string {
				w.fake.Again(t.Context(), people[person], copies)
				return func() []string { return nil } // answers are messages of their own
			},
			Forge:   func(int, string) []channeltest.Forgery { return w.forgeries(t) },
			Refused: func(why string) int { return w.counts.of("refused/" + why) },
			Hide: map[string]func(person int, words, address string){
				"a shared page": func(person int, words, address string) { w.fake.Share(t.Context(), people[person], words, "", address) },
				"a page of a mini program": func(person int, words, address string) {
					w.fake.Program(t.Context(), people[person], words, "pages/proxy/proxy?from=share&to="+url.QueryEscape(address)+"&x=%zz")
				},
			},
			Keys:       []string{"corp_id", "open_kfid", "token", "encoding_aes_key", "poll", "a platform"},
			Make:       func(without ...string) error { return w.make(t, cfg, without) },
			Redelivers: true, Logs: w.logs.String,
			Secrets: []string{w.fake.Token(), w.fake.AESKey(), w.fake.Secret(), ann, bob, noKey},
		}
	})
}

// forgeries are callbacks that must be refused; that they are from nobody in particular is
// their nature: a callback only says that there is something to read.
func (w *world) forgeries(t *testing.T) (all []channeltest.Forgery) {
	why := map[string]string{
		"signature": "signature", "no signature": "query", "query twice": "query", "corp": "app", "inner corp": "differs", "truncated": "undecoded",
		"padding": "undecoded", "stale": "stale", "future": "stale", "reused": "replayed", "unencrypted": "plain", "plain": "plain", "DTD": "dtd",
		"duplicate": "duplicate", "second root": "root", "deep": "deep", "oversized": "too_large", "not XML": "malformed", "empty": "malformed", "nothing inside": "differs",
	}
	for _, how := range kffake.Forgeries() {
		if how == "replayed" { // see TestReplayed, where half a minute goes by
			continue
		}
		all = append(all, channeltest.Forgery{Name: how, Why: why[how], Send: func() (int, string) {
			d := w.fake.Forge(t.Context(), how)
			return d.Status, d.Body
		}})
	}
	return append(all, channeltest.Forgery{Name: "PUT", Why: "method", Status: http.StatusMethodNotAllowed, Send: func() (int, string) {
		out := httptest.NewRecorder()
		w.channel.ServeHTTP(out, httptest.NewRequest(http.MethodPut, "/wecom?timestamp=1&nonce=2&msg_signature=3", nil))
		return out.Code, out.Body.String()
	}})
}

// noKey is what somebody has configured for a key, and is none.
const noKey = "made0up"

// make makes a channel without some of what it needs.
func (w *world) make(t *testing.T, cfg kffake.Config, without []string) error {
	o := w.options(t, cfg)
	for _, key := range without {
		switch key {
		case "corp_id":
			o.CorpID = ""
		case "open_kfid":
			o.OpenKfID = ""
		case "token":
			o.Token = ""
		case "encoding_aes_key":
			o.AESKey = noKey
		case "poll":
			o.Every = -time.Second
		case "a platform":
			o.Platform = nil
		}
	}
	_, err := kf.New(o)
	return err
}

// seen is what a person sees.
func seen(all []kffake.Seen) (out []channeltest.Told) {
	for _, s := range all {
		told := channeltest.Told{Text: s.Text}
		for _, i := range s.Items {
			told.Buttons = append(told.Buttons, i.Text)
		}
		out = append(out, told)
	}
	return out
}

// TestCarrier holds the channel to what package mail wants of one.
func TestCarrier(t *testing.T) {
	t.Parallel()
	mailtest.Carrier(t, func(t *testing.T) mailtest.Subject {
		w := open(t, kffake.Config{}, nil)
		stop := w.run(t, func(context.Context, bot.Message) bot.Reply { return bot.Reply{} })
		w.fake.Say(t.Context(), ann, "hello")
		until(t, "the message is read", func() bool { return w.counts.of("answered/silent") == 1 })
		stop()
		troubles := map[mailtest.Trouble]kffake.Fault{
			mailtest.Busy:    {Code: 45009, Text: "api freq out of limit"},
			mailtest.Down:    {HangUp: true},
			mailtest.Blocked: {Code: 40096, Text: "invalid external userid"},
		}
		return mailtest.Subject{
			Carrier: w.channel, Address: mail.Parcel{Channel: kf.Name, Chat: ann, To: identity(ann)},
			Read: func() []string { return w.fake.Lines(ann) },
			Trouble: func(what mailtest.Trouble, after int) {
				w.fake.Heal()
				if what != "" {
					w.fake.Fail("/cgi-bin/kf/send_msg", after, kffake.Fault{})
					w.fake.Fail("/cgi-bin/kf/send_msg", 100, troubles[what])
				}
			},
			Secrets: []string{w.fake.Secret(), ann},
		}
	})
}
