package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/lock"
	"fanli/core/order"
	"fanli/jobs"
)

// start is when the stories begin: on a whole second, as networks count.
var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

func sealKey() []byte { return bytes.Repeat([]byte("k"), 32) }

// migrated is the file of a fresh database: making one takes far longer than
// copying it, most of all under the race detector.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fanli-jobs")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "fanli.db")
	db, err := store.Open(context.Background(), store.Config{Path: path, SealKey: sealKey()})
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// A world is a stream of a network, a database, and a clock that only the test
// moves.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	at      time.Time
	commits int // of the order target
	db      *store.DB
	book    *order.Book
	feed    *stream
}

func newWorld(t *testing.T, scene order.Scene) *world {
	t.Helper()
	b, err := migrated()
	must(t, err)
	path := filepath.Join(memoryDir(t), "fanli.db")
	must(t, os.WriteFile(path, b, 0o600))
	w := &world{t: t, at: start}
	w.db, err = store.Open(t.Context(), store.Config{Path: path, SealKey: sealKey(), Now: w.now, Hook: w.hook})
	must(t, err)
	t.Cleanup(func() { must(t, w.db.Close()) })
	w.book = &order.Book{Store: w.db.Orders(), Now: w.now}
	w.feed = &stream{scene: scene, now: w.now, size: 50}
	return w
}

// memoryDir is a folder in memory where there is one: these tests stop jobs, not
// machines, and a disk would only make them slow.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "fanli-jobs-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// mending is a scene like those that the networks have.
func mending() order.Scene {
	return order.Scene{Name: "update", Window: time.Hour, Delay: 10 * time.Minute, Keeps: 90 * 24 * time.Hour, Mends: true}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) hook(point string) error {
	if point == "order.committed" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.commits++
	}
	return nil
}

// writes returns how many transactions of the order target f commits.
func (w *world) writes(f func()) int {
	w.mu.Lock()
	before := w.commits
	w.mu.Unlock()
	f()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commits - before
}

// follower returns the job that follows the stream, as a fresh process has it.
func (w *world) follower() *jobs.Sync {
	return &jobs.Sync{Feed: w.feed, Scene: w.feed.scene, Book: w.book, Now: w.now, First: 2 * time.Hour}
}

// rescan returns a job that re-scans the stream, as a fresh process has it.
func (w *world) rescan(back, every time.Duration) *jobs.Sync {
	return &jobs.Sync{
		Feed: w.feed, Scene: w.feed.scene, Book: w.book, Now: w.now,
		Rung: jobs.Rung{Name: "day", Back: back, Every: every},
	}
}

// lease is one with a token, held for as long as a test needs it.
func lease(token int64) lock.Lease { return lock.Lease{Name: "job", Token: token} }

// run runs the job once and wants it to succeed.
func (w *world) run(s *jobs.Sync) jobs.Report {
	w.t.Helper()
	r, err := s.Run(w.t.Context(), lease(1))
	must(w.t, err)
	return r
}

// catchUp runs the job until nothing is left to do, and returns how often it ran.
func (w *world) catchUp(s *jobs.Sync) (runs int) {
	w.t.Helper()
	for runs = 1; w.run(s).Done > 0; runs++ {
		if runs > 1000 {
			w.t.Fatal("the job never ends")
		}
	}
	return runs
}

// progress is where a job's stream stands.
func (w *world) progress(s *jobs.Sync) order.Progress {
	w.t.Helper()
	p, err := w.db.Orders().Progress(w.t.Context(), s.Place())
	must(w.t, err)
	return p
}

func (w *world) counts() order.Counts {
	w.t.Helper()
	c, err := w.db.Orders().Counts(w.t.Context())
	must(w.t, err)
	return c
}

// lines returns what the book knows of rows.
func (w *world) lines(ids ...string) map[order.Key]order.Line {
	w.t.Helper()
	var keys []order.Key
	for _, id := range ids {
		keys = append(keys, w.feed.key(id))
	}
	var got map[order.Key]order.Line
	must(w.t, w.db.Orders().InTx(w.t.Context(), func(tx order.Tx) (err error) {
		got, err = tx.Lines(keys)
		return err
	}))
	return got
}

// line returns what the book knows of a row.
func (w *world) line(id string) (order.Line, bool) {
	w.t.Helper()
	l, ok := w.lines(id)[w.feed.key(id)]
	return l, ok
}

// wantAll judges that the book knows every row of the stream as it is now.
func (w *world) wantAll() {
	w.t.Helper()
	rows := w.feed.all()
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	got := w.lines(ids...)
	var missed []string
	for _, r := range rows {
		if l, ok := got[w.feed.key(r.id)]; !ok || l.Row().Estimated != r.amount {
			missed = append(missed, r.id)
		}
	}
	if len(missed) > 0 {
		w.t.Errorf("%d of %d rows were missed: %v", len(missed), len(rows), missed[:min(len(missed), 5)])
	}
}

// events returns what the order target has said and nobody has heard yet.
func (w *world) events() []event.Stored {
	w.t.Helper()
	for _, o := range w.db.Outboxes() {
		if o.Name() == "order" {
			es, err := o.Waiting(w.t.Context(), w.now().AddDate(1, 0, 0), 100_000)
			must(w.t, err)
			return es
		}
	}
	w.t.Fatal("no order outbox")
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantTime(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("%s is %s, want %s", what, got.Format(time.RFC3339Nano), want.Format(time.RFC3339Nano))
	}
}

func wantText(t *testing.T, what, got, part string) {
	t.Helper()
	if !strings.Contains(got, part) {
		t.Errorf("%s is %q, want it to say %q", what, got, part)
	}
}
