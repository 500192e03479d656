package webhook_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/webhook"
)

var start = time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)

// A memory is a webhook.Store without a disk. A transaction that fails leaves it as
// it was.
type memory struct {
	mu      sync.Mutex
	held    held
	next    int64
	down    error // what transactions fail with
	swapped func() error
}

type held struct {
	inbox   map[string]bool
	said    []event.Event
	hooks   []webhook.Hook
	news    []webhook.Delivery
	tries   []webhook.Try
	members map[int64]webhook.Member
}

func (h held) copy() held {
	c := held{inbox: map[string]bool{}, members: map[int64]webhook.Member{}}
	for k, v := range h.inbox {
		c.inbox[k] = v
	}
	for k, v := range h.members {
		c.members[k] = v
	}
	c.said, c.hooks, c.news, c.tries = slices.Clone(h.said), slices.Clone(h.hooks), slices.Clone(h.news), slices.Clone(h.tries)
	return c
}

func (m *memory) InTx(_ context.Context, fn func(webhook.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return m.down
	}
	before := m.held.copy()
	if err := fn((*memoryTx)(m)); err != nil {
		m.held = before
		return err
	}
	return nil
}

func (m *memory) Hooks(context.Context) ([]webhook.Hook, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.held.hooks), nil
}

func (m *memory) Due(_ context.Context, hook int64, now time.Time, count int) (out []webhook.Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.held.news {
		if d.Hook == hook && d.Stage == webhook.Waiting && !now.Before(d.Next) {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b webhook.Delivery) int { return a.Next.Compare(b.Next) })
	return out[:min(len(out), count)], nil
}

func (m *memory) Newest(_ context.Context, hook int64, count int) (out []webhook.Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range slices.Backward(m.held.news) {
		if d.Hook == hook && len(out) < count {
			out = append(out, d)
		}
	}
	return out, nil
}

func (m *memory) Tries(_ context.Context, delivery int64, count int) (out []webhook.Try, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range slices.Backward(m.held.tries) {
		if t.Delivery == delivery && len(out) < count {
			out = append(out, t)
		}
	}
	return out, nil
}

type memoryTx memory

func (m *memoryTx) Handled(id string) (bool, error) {
	before := m.held.inbox[id]
	m.held.inbox[id] = true
	return before, nil
}

func (m *memoryTx) Emit(e event.Event) error {
	m.held.said = append(m.held.said, e)
	return nil
}

func (m *memoryTx) Hooks() ([]webhook.Hook, error) { return slices.Clone(m.held.hooks), nil }

func (m *memoryTx) Insert(h webhook.Hook) (int64, error) {
	if slices.ContainsFunc(m.held.hooks, func(o webhook.Hook) bool { return o.Name == h.Name }) {
		return 0, fault.New(fault.Conflict, "")
	}
	m.next++
	h.ID = m.next
	m.held.hooks = append(m.held.hooks, h)
	return h.ID, nil
}

func (m *memoryTx) Update(h webhook.Hook) error {
	i := slices.IndexFunc(m.held.hooks, func(o webhook.Hook) bool { return o.ID == h.ID })
	m.held.hooks[i] = h
	return nil
}

func (m *memoryTx) Remove(id int64) error {
	m.held.hooks = slices.DeleteFunc(m.held.hooks, func(o webhook.Hook) bool { return o.ID == id })
	m.held.news = slices.DeleteFunc(m.held.news, func(d webhook.Delivery) bool { return d.Hook == id })
	return nil
}

func (m *memoryTx) Members([]int64) (map[int64]webhook.Member, error) { return m.held.members, nil }

func (m *memoryTx) AddMember(n webhook.Member) error {
	m.held.members[n.User] = n
	return nil
}

func (m *memoryTx) Add(d webhook.Delivery) (int64, error) {
	if slices.ContainsFunc(m.held.news, func(o webhook.Delivery) bool { return o.Hook == d.Hook && o.Event == d.Event }) {
		return 0, nil
	}
	m.next++
	d.ID = m.next
	m.held.news = append(m.held.news, d)
	return d.ID, nil
}

func (m *memoryTx) Delivery(id int64) (webhook.Delivery, error) {
	for _, d := range m.held.news {
		if d.ID == id {
			return d, nil
		}
	}
	return webhook.Delivery{}, fault.New(fault.NotFound, "")
}

func (m *memoryTx) Swap(d webhook.Delivery, was webhook.Stage, tries int) (bool, error) {
	if m.swapped != nil {
		if err := m.swapped(); err != nil {
			return false, err
		}
	}
	for i, o := range m.held.news {
		if o.ID == d.ID && o.Stage == was && o.Tries == tries {
			m.held.news[i].Stage, m.held.news[i].Tries, m.held.news[i].Next = d.Stage, d.Tries, d.Next
			return true, nil
		}
	}
	return false, nil
}

func (m *memoryTx) Note(t webhook.Try) error {
	m.held.tries = append(m.held.tries, t)
	return nil
}

func (m *memoryTx) Prune(before time.Time, count int) (n int, err error) {
	m.held.news = slices.DeleteFunc(m.held.news, func(d webhook.Delivery) bool {
		gone := d.At.Before(before) && n < count
		if gone {
			n++
		}
		return gone
	})
	return n, nil
}

// A world is a desk with its memory, its clock, and receivers that answer as told.
type world struct {
	*webhook.Desk
	t      *testing.T
	at     time.Time
	memory *memory
	mu     sync.Mutex
	posts  []webhook.Post
	answer func(webhook.Post) webhook.Answer
	alarms []webhook.Hook
	wakes  int
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: start, memory: &memory{held: held{}.copy()}}
	w.answers(200)
	w.Desk = &webhook.Desk{
		Store: w.memory, Poster: w, Now: func() time.Time { return w.at }, Timeout: 10 * time.Second, Keep: 30 * 24 * time.Hour,
		Wake: func() { w.wakes++ }, Alarm: func(h webhook.Hook) { w.alarms = append(w.alarms, h) },
	}
	return w
}

// answers makes all receivers answer with a status.
func (w *world) answers(status int) {
	w.answer = func(webhook.Post) webhook.Answer { return webhook.Answer{Status: status, Took: time.Millisecond} }
}

// Post implements webhook.Poster.
func (w *world) Post(_ context.Context, p webhook.Post) webhook.Answer {
	w.mu.Lock()
	w.posts = append(w.posts, p)
	w.mu.Unlock()
	return w.answer(p)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add enters a hook that wants everything.
func (w *world) add(name, client string) webhook.Hook {
	w.t.Helper()
	h, err := w.Add(w.t.Context(), webhook.Hook{Name: name, Client: client, URL: "https://" + name + ".example/in", Events: webhook.Events()}, webhook.Staff{By: "cli"})
	must(w.t, err)
	return h
}

// hear lets the desk hear an event.
func (w *world) hear(id string, name event.Name, v any) {
	w.t.Helper()
	e, err := event.New(id, name, start, v)
	must(w.t, err)
	must(w.t, w.Hear(w.t.Context(), e))
}

// join lets users of a client join.
func (w *world) join(client string, users ...int64) {
	w.t.Helper()
	for _, u := range users {
		e, err := event.New("joined", event.UserJoined, start, user.Joined{User: u, Channel: "api/" + client, External: client + "-" + string(rune('0'+u))})
		must(w.t, err)
		must(w.t, w.UserJoined(w.t.Context(), e))
	}
}

// deliver lets the job run, and wants so many deliveries.
func (w *world) deliver(want int) {
	w.t.Helper()
	if n, err := w.Deliver(w.t.Context()); n != want || err != nil {
		w.t.Errorf("delivered %d, %v, want %d", n, err, want)
	}
}

// hook returns a hook as it is now.
func (w *world) hook(id int64) webhook.Hook {
	w.t.Helper()
	hooks, err := w.Hooks(w.t.Context())
	must(w.t, err)
	i, ok := slices.BinarySearchFunc(hooks, id, func(h webhook.Hook, id int64) int { return cmp.Compare(h.ID, id) })
	if !ok {
		w.t.Fatalf("there is no hook %d", id)
	}
	return hooks[i]
}

// newest returns the newest delivery of a hook.
func (w *world) newest(hook int64) webhook.Delivery {
	w.t.Helper()
	log, err := w.Log(w.t.Context(), hook, 1)
	must(w.t, err)
	if len(log) == 0 {
		w.t.Fatalf("hook %d has no delivery", hook)
	}
	return log[0]
}

// A message is what a receiver reads.
type message struct {
	ID    string
	Event string
	At    time.Time
	Data  struct{ Items []map[string]any }
}

func read(t *testing.T, body []byte) (m message) {
	t.Helper()
	must(t, json.Unmarshal(body, &m))
	return m
}
