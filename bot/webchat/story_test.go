package webchat_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/webchat"
	"fanli/core/user"
)

// TestStory plays the whole story in the browser, up to the page's own script: what is
// written here is what the stream brings to an open page, and to one that comes back.
func TestStory(t *testing.T) {
	t.Parallel()
	bottest.PlayAll(t, "testdata/story*.txt", func(t *testing.T) bottest.World { return newShow(t).scene() })
}

// A show is a world of package bottest whose people sit before a browser.
type show struct {
	t     *testing.T
	f     *bottest.Fake
	house *house
	pages map[string]*page

	mu    sync.Mutex
	names map[string]string // of people in the story, by their chats
	next  string            // who writes; their chat is known once the bot is asked
}

// A page is a person's only tab.
type page struct {
	name    string
	browser *visitor
	tab     *tab         // nil while the person is away
	last    string       // the id of the event that was seen last
	buttons []bot.Button // below the latest answers
	unseen  int          // notices that were sent and not looked at
}

func newShow(t *testing.T) *show {
	t.Helper()
	s := &show{t: t, f: bottest.New(t), pages: map[string]*page{}, names: map[string]string{}}
	s.house = open(t, &memory{}, s.handle, func(o *webchat.Options) {
		o.Now, o.Heartbeat = s.f.Clock.Now, time.Hour
		o.Image = func(url string) string { return "/picture?of=" + url }
	})
	return s
}

// handle lets the bot of the world answer, whose people are on a channel of its own.
func (s *show) handle(ctx context.Context, m bot.Message) bot.Reply {
	s.mu.Lock()
	if s.names[m.Chat] == "" {
		s.names[m.Chat] = s.next
	}
	m.From = user.Identity{Channel: s.f.World().Channel, External: s.names[m.Chat]}
	s.mu.Unlock()
	return s.f.Handle(ctx, m)
}

// scene is the show as bottest plays it. Besides what happens in every world, somebody
// can close their page and open it again.
func (s *show) scene() bottest.World {
	played := s.f.World()
	played.Handle, played.Told = s.say, s.tell
	played.Directives["close"] = func(who ...string) error {
		p := s.pages[strings.Join(who, " ")]
		if p == nil || p.tab == nil {
			return errors.New("they have no page")
		}
		p.tab.close()
		p.tab = nil
		return nil
	}
	played.Directives["open"] = func(who ...string) error {
		p := s.pages[strings.Join(who, " ")]
		if p == nil || p.tab != nil {
			return errors.New("they are there")
		}
		p.tab = p.browser.tab(p.last)
		return nil
	}
	return played
}

// page is that of a person, who comes if they were not here.
func (s *show) page(name string) *page {
	p := s.pages[name]
	if p == nil {
		p = &page{name: name, browser: s.house.visitor()}
		p.tab = p.browser.tab("")
		p.tab.until("ready")
		s.pages[name] = p
	}
	return p
}

// say has somebody write, or press the button that sends this, and returns what the page
// gets then.
func (s *show) say(_ context.Context, m bot.Message) bot.Reply {
	p := s.page(m.From.External)
	s.mu.Lock()
	s.next = p.name
	s.mu.Unlock()
	said := map[string]string{"id": "message-" + m.ID, "text": m.Text, "lang": m.Locale}
	want := m.Text
	for _, b := range p.buttons {
		if b.Action == m.Text && b.Label != m.Text {
			said["label"], want = b.Label, b.Label
		}
	}
	body, err := json.Marshal(said)
	if err != nil {
		s.t.Fatal(err)
	}
	if status, problem, _ := p.browser.send(string(body)); status != http.StatusAccepted {
		s.t.Fatalf("%s cannot say %q: status %d, %+v", p.name, m.Text, status, problem)
	}
	if own := p.entry(); own.From != "user" || own.Text != want {
		s.t.Errorf("%s sees that %q said %q, not their own %q", p.name, own.From, own.Text, want)
	}
	answer := p.entry()
	if answer.From != "bot" || answer.To != said["id"] {
		s.t.Errorf("%s sees an entry of %q to %q for an answer", p.name, answer.From, answer.To)
	}
	p.buttons = nil
	return p.read(answer)
}

// An utterance is an entry as the page is told it.
type utterance struct {
	From, ID, To, Text string
	Reply              bot.Reply
}

// entry waits for the next one.
func (p *page) entry() (u utterance) {
	p.browser.h.t.Helper()
	e := p.tab.until("entry")
	if err := json.Unmarshal([]byte(e.data), &u); err != nil {
		p.browser.h.t.Fatalf("entry %q: %v", e.data, err)
	}
	p.last = e.id
	return u
}

// read writes down what text alone would not show: that there is a picture, which value
// stands out, which buttons copy, and that those that were pressed go.
func (p *page) read(u utterance) bot.Reply {
	r := u.Reply
	p.buttons = append(p.buttons, r.Buttons...)
	if r.Spent {
		r.Text = "(the buttons that were used are taken away)\n" + r.Text
	}
	for i, c := range r.Cards {
		p.buttons = append(p.buttons, c.Buttons...)
		if c.Image != "" {
			r.Cards[i].Title = "(" + c.Image + ") " + c.Title
		}
		for j, row := range c.Rows {
			if row.Strong {
				r.Cards[i].Rows[j].Value = "**" + row.Value + "**"
			}
		}
		for j, b := range c.Buttons {
			if b.Copy != "" {
				r.Cards[i].Buttons[j].Label = b.Label + " (copies)"
			}
		}
	}
	return r
}

// tell brings people what they are told unasked, and shows what those see who look: who
// is away finds it when they come back.
func (s *show) tell() (out []bottest.Told) {
	for _, n := range s.f.Told() {
		if err := s.house.chat.Send(s.t.Context(), s.identity(n.To.External), n.Reply); err != nil {
			s.t.Fatalf("%s cannot be told: %v", n.To.External, err)
		}
		s.pages[n.To.External].unseen++
	}
	for _, name := range []string{"ann", "bob"} {
		p := s.pages[name]
		for p != nil && p.tab != nil && p.unseen > 0 {
			p.unseen--
			e := p.entry()
			if e.From != "bot" || e.To != "" {
				s.t.Errorf("%s sees an entry of %q to %q for a notice", name, e.From, e.To)
			}
			out = append(out, bottest.Told{To: user.Identity{Channel: webchat.Name, External: name}, Reply: p.read(e)})
		}
	}
	return out
}

// identity is how the channel knows a person.
func (s *show) identity(name string) user.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	for chat, who := range s.names {
		if who == name {
			return user.Identity{Channel: webchat.Name, External: chat}
		}
	}
	return user.Identity{}
}
