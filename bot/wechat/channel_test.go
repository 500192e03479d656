package wechat_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot/channeltest"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/user"
)

// ann and bob follow the account; cat does not.
var ann, bob, cat = wechatfake.OpenID("Ann", 1), wechatfake.OpenID("Bob", 2), wechatfake.OpenID("Cat", 3)

// TestChannel plays the stories of every channel: on an account that may write to
// people, in safe mode, and on one that may only answer, in plain mode.
func TestChannel(t *testing.T) {
	t.Parallel()
	for _, cfg := range []wechatfake.Config{{}, {Profile: wechatfake.Personal, Mode: wechatfake.Plain}} {
		t.Run(string(cfg.Profile), func(t *testing.T) {
			t.Parallel()
			suite(t, cfg)
		})
	}
}

func suite(t *testing.T, cfg wechatfake.Config) {
	t.Helper()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		w := open(t, cfg, nil)
		people := []string{ann, bob}
		queues := make([]chan func(), len(people))
		var work sync.WaitGroup
		for i := range queues {
			queues[i] = make(chan func(), 16)
			work.Go(func() {
				for f := range queues[i] {
					f()
				}
			})
		}
		t.Cleanup(func() {
			for _, q := range queues {
				close(q)
			}
			work.Wait()
		})
		say := func(person int, text string) {
			queues[person] <- func() { w.fake.Say(t.Context(), people[person], text) }
		}
		return channeltest.Subject{
			Channel: w.channel, People: []user.Identity{{Channel: wechat.Name, External: ann}, {Channel: wechat.Name, External: bob}},
			Unreachable: user.Identity{Channel: wechat.Name, External: cat},
			Say:         say,
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
			Waits: cfg.Profile == wechatfake.Personal, Redelivers: true, Logs: w.logs.String,
			Secrets: []string{w.fake.Token(), w.fake.AESKey(), w.fake.Secret(), ann, bob},
		}
	})
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
