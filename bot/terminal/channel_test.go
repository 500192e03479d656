package terminal_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"fanli/bot/channeltest"
	"fanli/bot/terminal"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel, in a pipe and at a terminal.
func TestChannel(t *testing.T) {
	t.Parallel()
	for _, interactive := range []bool{false, true} {
		t.Run(fmt.Sprintf("AtATerminal=%t", interactive), func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Subject { return subject(t, interactive) })
		})
	}
}

// A paper is what was written, one piece after the other.
type paper struct {
	mu      sync.Mutex
	told    []channeltest.Told
	changed chan struct{}
}

// Write implements io.Writer. A prompt says nothing.
func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := strings.TrimSpace(strings.TrimSuffix(string(b), "> ")); text != "" {
		p.told = append(p.told, channeltest.Told{Text: text})
		close(p.changed)
		p.changed = make(chan struct{})
	}
	return len(b), nil
}

func (p *paper) read() ([]channeltest.Told, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]channeltest.Told(nil), p.told...), p.changed
}

func subject(t *testing.T, interactive bool) channeltest.Subject {
	t.Helper()
	in, keys := io.Pipe()
	t.Cleanup(func() { _ = keys.Close() }) // lets the read that was left behind end
	out := &paper{changed: make(chan struct{})}
	me := user.Identity{Channel: terminal.Name, External: "me"}
	say := func(_ int, text string) {
		if _, err := io.WriteString(keys, text+"\n"); err != nil {
			t.Error(err)
		}
	}
	return channeltest.Subject{
		Channel: &terminal.Channel{In: in, Out: out, Person: me.External, Interactive: interactive},
		People:  []user.Identity{me}, Unreachable: user.Identity{Channel: terminal.Name, External: "you"},
		Say: say,
		Press: func(person int, label string) {
			all, _ := out.read()
			for i := len(all) - 1; i >= 0; i-- {
				if m := regexp.MustCompile(`(?m)^› (.*)  \(` + label + `\)$`).FindStringSubmatch(all[i].Text); m != nil {
					say(person, m[1])
					return
				}
			}
			t.Errorf("nobody was offered %q: %q", label, all)
		},
		Read: func(ctx context.Context, _ int, wanted func([]channeltest.Told) bool) []channeltest.Told {
			for {
				all, changed := out.read()
				if wanted(all) || ctx.Err() != nil {
					return all
				}
				select {
				case <-changed:
				case <-ctx.Done():
				}
			}
		},
		Hide: map[string]func(person int, words, address string){
			"in markup": func(person int, words, address string) { say(person, `<a href="`+address+`">`+words+`</a>`) },
		},
		RunsOnce: true,
		Without: map[string]string{
			"AnswerIsForTheOneWhoAsked":           "one person sits at a terminal",
			"SlowAnswerHoldsUpNobodyElse":         "one person sits at a terminal",
			"RunCanBeginAgain":                    "the program ends with Run: its read waits for a line, and would take it",
			"AnswerCutShortComesAgain":            "a line that was read is gone, before the eyes of who typed it",
			"MessageDeliveredAgainIsAnsweredOnce": "nobody delivers: a line that is there twice was typed twice",
			"PressDeliveredAgainIsDoneOnce":       "nobody delivers: a line that is there twice was typed twice",
			"TwoProcessesAnswerOnceAndInOrder":    "a terminal has one process",
			"ForgedDeliveriesAreRefused":          "nobody stands between the person and us: whoever types is the person",
			"MissingConfigurationIsNamed":         "it needs no configuration",
		},
	}
}
