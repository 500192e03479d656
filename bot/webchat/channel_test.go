package webchat_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/channeltest"
	"fanli/bot/webchat"
	"fanli/core/logtest"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel, over HTTP and with a page of each person
// open.
func TestChannel(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject { return newStage(t).subject() })
}

// A stage is a site with several processes behind it and two people before it.
type stage struct {
	t      *testing.T
	log    *memory
	clock  *clock
	logs   *logs
	front  channeltest.Front
	site   *httptest.Server
	people []*sitter
}

// A sitter is somebody with a page, who sees what the stream brings.
type sitter struct {
	session string

	mu      sync.Mutex
	told    []channeltest.Told
	replies []bot.Reply
	changed chan struct{}
	posted  int
	last    string // what was posted last
}

// logs is everything that was logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String returns all lines.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, log: &memory{}, clock: newClock(), logs: &logs{}}
	s.front.Patient = true
	s.site = httptest.NewServer(&s.front)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var looking sync.WaitGroup
	for _, digit := range []string{"a", "b"} {
		p := &sitter{session: strings.Repeat("5e551d0"+digit, 4), changed: make(chan struct{})}
		s.people = append(s.people, p)
		looking.Go(func() { s.look(ctx, p) })
	}
	t.Cleanup(func() {
		cancel()
		looking.Wait()
		s.site.CloseClientConnections()
		s.site.Close()
	})
	return s
}

// chat makes the process that is next. Some time has passed until it is there.
func (s *stage) chat() bot.Channel {
	s.clock.advance(time.Minute)
	c, err := webchat.New(webchat.Options{Log: s.log, Now: s.clock.now, Heartbeat: time.Hour, Others: &webchat.Others{Log: s.log}, Logger: logtest.New(s.logs)})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.front.Behind(c)
}

// identity is how the channel has to know a person, for ever: it is stored.
func (p *sitter) identity() user.Identity {
	sum := sha256.Sum256([]byte("fanli web chat\n" + p.session))
	chat := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
	return user.Identity{Channel: webchat.Name, External: strings.ToLower(chat)}
}

// look has a person's page open until ctx ends, as browsers do: it comes back and goes on.
func (s *stage) look(ctx context.Context, p *sitter) {
	for after := ""; ctx.Err() == nil; {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.site.URL+"/api/events?after="+after, nil)
		if err != nil {
			s.t.Error(err)
			return
		}
		r.AddCookie(&http.Cookie{Name: "fanli_session", Value: p.session})
		res, err := s.site.Client().Do(r)
		if err != nil {
			continue
		}
		page := &tab{s.t, bufio.NewScanner(res.Body), func() {}}
		for e, ok := page.next(); ok; e, ok = page.next() {
			if e.name == "entry" {
				after = e.id
				p.see(e)
			}
		}
		_ = res.Body.Close()
	}
}

// see notes what the page shows of the bot.
func (p *sitter) see(e event) {
	var u utterance
	if json.Unmarshal([]byte(e.data), &u) != nil || u.From != "bot" {
		return
	}
	told := channeltest.Told{Text: bot.RenderText(u.Reply)}
	for _, b := range buttonsOf(u.Reply) {
		told.Buttons = append(told.Buttons, b.Label)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told, p.replies = append(p.told, told), append(p.replies, u.Reply)
	close(p.changed)
	p.changed = make(chan struct{})
}

func buttonsOf(r bot.Reply) (all []bot.Button) {
	for _, c := range r.Cards {
		all = append(all, c.Buttons...)
	}
	return append(all, r.Buttons...)
}

func (p *sitter) read(ctx context.Context, wanted func([]channeltest.Told) bool) []channeltest.Told {
	for {
		p.mu.Lock()
		all, changed := append([]channeltest.Told(nil), p.told...), p.changed
		p.mu.Unlock()
		if wanted(all) || ctx.Err() != nil {
			return all
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// post sends what a page sends, as any cookie with any headers, and returns what comes
// back.
func (s *stage) post(cookie, body string, headers ...string) (int, problem) {
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, s.site.URL+"/api/messages", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", cookie)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out, p := httptest.NewRecorder(), problem{}
	s.front.ServeHTTP(out, r)
	if err := json.Unmarshal(out.Body.Bytes(), &p); err != nil {
		s.t.Errorf("status %d with no JSON: %v", out.Code, err)
	}
	return out.Code, p
}

// say posts a text of a person, or the action of a button with a label.
func (s *stage) say(p *sitter, text, label string) {
	p.mu.Lock()
	p.posted++
	b, err := json.Marshal(map[string]string{"id": fmt.Sprintf("message-%d", p.posted), "text": text, "label": label})
	p.last = string(b)
	p.mu.Unlock()
	if status, problem := s.post("fanli_session="+p.session, string(b)); err != nil || status != http.StatusAccepted || !problem.Fresh {
		s.t.Errorf("posting %q: status %d, %+v, %v", text, status, problem, err)
	}
}

// again posts a person's newest message again, as a page does that has not heard our
// answer.
func (s *stage) again(p *sitter, copies int) {
	var all sync.WaitGroup
	for range copies {
		all.Go(func() {
			if status, problem := s.post("fanli_session="+p.session, p.last); status != http.StatusAccepted || problem.Fresh {
				s.t.Errorf("a copy is answered %d, %+v", status, problem)
			}
		})
	}
	all.Wait()
}

func (s *stage) subject() channeltest.Subject {
	ann, bob := s.people[0], s.people[1]
	return channeltest.Subject{
		Channel: s.chat(), Join: s.chat, RunsOnce: true,
		People: []user.Identity{ann.identity(), bob.identity()}, Unreachable: user.Identity{Channel: webchat.Name, External: "x"},
		Say: func(person int, text string) { s.say(s.people[person], text, "") },
		Press: func(person int, label string) {
			p := s.people[person]
			p.mu.Lock()
			replies := append([]bot.Reply(nil), p.replies...)
			p.mu.Unlock()
			for i := len(replies) - 1; i >= 0; i-- {
				for _, b := range buttonsOf(replies[i]) {
					if b.Label == label {
						s.say(p, b.Action, label)
						return
					}
				}
			}
			s.t.Errorf("nobody was offered %q", label)
		},
		Read: func(ctx context.Context, person int, wanted func([]channeltest.Told) bool) []channeltest.Told {
			return s.people[person].read(ctx, wanted)
		},
		Again: func(person, copies int) func() []string {
			s.again(s.people[person], copies)
			return func() []string { return nil } // answers come through the stream
		},
		Forge:   func(person int, text string) []channeltest.Forgery { return s.forgeries(s.people[person], text) },
		Refused: func(why string) int { return strings.Count(s.logs.String(), "refused a request\" code="+why) },
		Hide: map[string]func(person int, words, address string){
			"in markup": func(person int, words, address string) {
				s.say(s.people[person], `<a href="`+address+`">`+words+`</a>`, "")
			},
		},
		Redelivers: true, Logs: s.logs.String, Secrets: []string{ann.session, bob.session},
		Without: map[string]string{
			"MissingConfigurationIsNamed": "it needs no keys; where it is off, no address is served (cmd/fanli)",
		},
	}
}

// forgeries are posts that no page of ours makes.
func (s *stage) forgeries(p *sitter, text string) (all []channeltest.Forgery) {
	mine := "fanli_session=" + p.session
	good, long := fmt.Sprintf(`{"id":"aaaaaaaa1","text":%q}`, text), strings.Repeat("长", 4001)
	for _, f := range []struct {
		name, cookie, body string
		headers            []string
		status             int
		code               string
	}{
		{"without a session", "", good, nil, 401, "session"},
		{"a session of another form", "fanli_session=../../x", good, nil, 401, "session"},
		{"a part of a session", mine[:len(mine)-2], good, nil, 401, "session"},
		{"what everybody may know of a person", "fanli_session=" + p.identity().External, good, nil, 401, "session"},
		{"from another site", mine, good, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_site"},
		{"from another port of this host", mine, good, []string{"Sec-Fetch-Site", "same-site"}, 403, "cross_site"},
		{"from another origin, by an old browser", mine, good, []string{"Origin", "https://evil.example"}, 403, "cross_site"},
		{"as a form would be", mine, "id=1", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "media"},
		{"as plain text", mine, good, []string{"Content-Type", "text/plain"}, 415, "media"},
		{"not JSON", mine, "查券", nil, 400, "unreadable"},
		{"a list", mine, "[]", nil, 400, "unreadable"},
		{"half a document", mine, `{"id":"aaaaaaaa1"`, nil, 400, "unreadable"},
		{"two documents", mine, good + good, nil, 400, "unreadable"},
		{"an unknown name", mine, `{"id":"aaaaaaaa1","text":"x","admin":"1"}`, nil, 400, "unreadable"},
		{"a name twice", mine, `{"id":"aaaaaaaa1","text":"x","text":"y"}`, nil, 400, "unreadable"},
		{"a number", mine, `{"id":"aaaaaaaa1","text":1}`, nil, 400, "unreadable"},
		{"nested", mine, `{"id":"aaaaaaaa1","text":{"a":"b"}}`, nil, 400, "unreadable"},
		{"no id", mine, `{"text":"x"}`, nil, 400, "unreadable"},
		{"an odd id", mine, `{"id":"a/../../b","text":"x"}`, nil, 400, "unreadable"},
		{"an unknown language", mine, `{"id":"aaaaaaaa1","text":"x","lang":"xx"}`, nil, 400, "unreadable"},
		{"a label without an action", mine, `{"id":"aaaaaaaa1","text":"","label":"x"}`, nil, 400, "unreadable"},
		{"a label that is a novel", mine, `{"id":"aaaaaaaa1","text":"x","label":"` + long[:300] + `"}`, nil, 400, "unreadable"},
		{"nothing", mine, `{"id":"aaaaaaaa1","text":" \n\u0000"}`, nil, 400, "empty"},
		{"too many characters", mine, `{"id":"aaaaaaaa1","text":"` + long + `"}`, nil, 413, "too_long"},
		{"too many bytes", mine, `{"id":"aaaaaaaa1","text":"` + strings.Repeat("x", 70_000) + `"}`, nil, 413, "too_long"},
	} {
		all = append(all, channeltest.Forgery{Name: f.name, Status: f.status, Why: f.code, Send: func() (int, string) {
			status, p := s.post(f.cookie, f.body, f.headers...)
			if p.Error.Code != f.code || p.Error.Zh == "" || p.Error.En == "" || p.Error.Trace == "" {
				s.t.Errorf("%s: the error is not friendly: %+v", f.name, p.Error)
			}
			return status, fmt.Sprint(p)
		}})
	}
	return all
}
