package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
	"fanli/configs"
)

// A legend is a tale that is told many times.
type legend struct {
	name  string
	tune  func(*configs.Config)
	equip func(*little, *app)
	steps func(*tale) []stepOf
	calls int // of the bank, told without a crash
	facts int // ledger entries that it has at least
}

// A crasher kills the process at chosen points, each counted from the start of its
// process: the points at which it dies first, second and so on. Where it has a
// reading it may note the state at each point of the process that it does not kill.
type crasher struct {
	mu      sync.Mutex
	at      []int
	dead    bool
	points  []string        // of this process
	noting  bool            // whether states are wanted
	states  []state         // what it would leave if it died there
	reading *reading        // nil for none
	stale   map[string]bool // domains that were committed to since they were read
	where   string          // the point at which the last one died
	err     error
}

func (c *crasher) hook(point string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	domain, moment, _ := strings.Cut(point, ".")
	switch {
	case c.dead:
		return errCrash
	case moment == "begin" || domain == "lease":
		if moment == "committed" {
			c.stale["lease"] = true
		}
		return nil // dying there is dying after the step before; a lease is no money
	}
	c.points = append(c.points, point)
	if len(c.at) > 0 {
		if len(c.points) < c.at[0] {
			return nil
		}
		c.at, c.dead, c.where = c.at[1:], true, point
		return errCrash
	}
	if moment == "committed" {
		c.stale[domain] = true
	}
	if c.noting {
		c.states = append(c.states, c.now())
	}
	return nil
}

// now is the state: what was committed to meanwhile is read again.
func (c *crasher) now() state {
	c.err = errors.Join(c.err, c.reading.refresh(func(table string) bool {
		for domain := range c.stale {
			if ofTarget(domain)(table) {
				return true
			}
		}
		return false
	}))
	clear(c.stale)
	return c.reading.now()
}

func (c *crasher) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// born is the start of the next process.
func (c *crasher) born() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead, c.points, c.states = false, nil, nil
	clear(c.stale)
}

// A play is what has come of a tale.
type play struct {
	entries []string // the ledger, sorted and with numbers from 1, and the months that are closed; none if it joined
	told    []string // what people were told, each thing once
	points  []string // of the last process
	states  []state  // at those points, where they were noted
	left    state    // by the last crash
	where   string   // the point of it
	joined  int      // the step at whose begin it was as if nothing had happened; 0 for never
	begins  []begin  // of the steps of the undisturbed tale
}

// A begin is how everything is when a step begins.
type begin struct {
	state  state
	points int // that came before
	told   []string
}

// play tells a legend in a world, with crashes, and proves its books. Where there
// is a reading and the undisturbed tale is known, it stops as soon as a step begins
// in the state in which it begins there: from then on both are the same tale.
// What it could leave in turn is noted only if that is asked for.
func (l legend) play(w *little, r *reading, known []begin, noting bool, crashes ...int) (p play, err error) {
	c := &crasher{at: slices.Clone(crashes), reading: r, noting: noting && r != nil, stale: map[string]bool{}}
	if err := w.open(); err != nil {
		return p, err
	}
	if r != nil {
		r.of(w)
		if err := r.refresh(everyTable); err != nil {
			return p, err
		}
	}
	w.hook = c.hook
	s := &tale{w: w, lines: map[string]string{}, last: map[string]string{}}
	for i, step := range append(l.steps(s), stepOf{"end", func() error { w.hook = nil; return w.end() }}) {
		if r != nil {
			r.put("step", fmt.Sprint(i))
		}
		if r != nil && len(c.at) == 0 {
			b := begin{c.now(), len(c.points), toldOnce(w)}
			if len(crashes) == 0 {
				p.begins = append(p.begins, b)
			} else if i < len(known) && known[i].state == b.state {
				p.joined, p.told = i, b.told
				break
			}
		}
		if err := l.take(w, c, step, &p); err != nil {
			return p, fmt.Errorf("step %q: %w", step.name, err)
		}
	}
	w.hook = nil
	p.points, p.states, p.where = c.points, c.states, c.where
	if p.joined > 0 {
		return p, nil
	}
	if len(c.at) > 0 {
		return p, fmt.Errorf("the process did not come to point %d", c.at[0])
	}
	if got := w.bank.calls; len(crashes) == 0 && got != l.calls {
		return p, fmt.Errorf("the bank was asked %d times", got)
	}
	if p.entries, err = w.list(); err != nil {
		return p, err
	}
	months, err := w.months()
	p.entries, p.told = append(renumber(p.entries), months...), toldOnce(w)
	return p, err
}

// take takes a step, and takes it again in the next process while it crashes.
func (l legend) take(w *little, c *crasher, step stepOf, p *play) error {
	for tries := len(c.at) + 1; tries > 0; tries-- {
		err := step.do()
		if !c.isDead() {
			return errors.Join(err, c.err)
		}
		if err := errors.Join(w.app.close(), w.reopen(c, p)); err != nil {
			return fmt.Errorf("restart: %w", err)
		}
	}
	return errors.New("it never ends")
}

// months is what the reports of the closed months say, but not when they were
// closed.
func (w *little) months() (out []string, err error) {
	ms, err := w.app.reconciliation().Store.Months(context.Background())
	for _, m := range ms {
		_, said, _ := strings.Cut(m.Report, "\n")
		out = append(out, m.Name+" is closed:\n"+said)
	}
	return out, err
}

// toldOnce is what people were told, sorted and each thing once.
func toldOnce(w *little) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := slices.Clone(w.told)
	slices.Sort(told)
	return slices.Compact(told)
}

// reopen starts the next process; it may crash while it starts.
func (w *little) reopen(c *crasher, p *play) error {
	for {
		if r := c.reading; r != nil {
			if domain, ok := strings.CutSuffix(c.where, ".commit"); ok {
				if err := r.closeGaps(ofTarget(domain)); err != nil {
					return err
				}
			}
			if len(c.at) == 0 {
				if err := r.refresh(everyTable); err != nil {
					return err
				}
				p.left = r.now()
			}
		}
		c.born()
		if err := w.open(); err == nil || !c.isDead() {
			return err
		}
	}
}

// end lets what waits happen, and proves the books.
func (w *little) end() error {
	w.advance(time.Hour) // what an unknown outcome waits for
	if err := w.settle(); err != nil {
		return err
	}
	if bad := w.unsound(); len(bad) > 0 {
		return fmt.Errorf("the books are not sound: %s", strings.Join(bad, "; "))
	}
	if n, err := w.dead(); n > 0 || err != nil {
		return fmt.Errorf("%d events were given up, %w", n, err)
	}
	return nil
}

// of makes a reading look at a world outside the database.
func (r *reading) of(w *little) {
	for name, m := range w.markets {
		m.OnChange(func(book []byte) { r.put("market "+name, string(book)) })
	}
	r.look = func() string { return w.now().String() + w.bank.text() }
}

// closeGaps makes a server give the numbers again that a transaction took which
// was rolled back, so that states are equal that differ in gaps. (Plays without a
// reading keep the gaps.) Outboxes keep theirs.
func (r *reading) closeGaps(of func(string) bool) error {
	for _, t := range r.tables {
		if !r.counts[t.name] || !of(t.name) || strings.HasSuffix(t.name, "_outbox") {
			continue
		}
		if _, err := r.db.ExecContext(context.Background(), "ALTER TABLE "+t.name+" AUTO_INCREMENT = 1"); err != nil { // which means the highest and one
			return err
		}
	}
	return nil
}

// A theatre is where one tale after the other is told: over files, or in one
// database on a server that is emptied in between.
type theatre struct {
	t       *testing.T
	server  *mariadbtest.Server // nil for files
	dir     string
	dsn     string
	reading *reading // on a server, where all tales share it
}

// newTheatre prepares a database that plays begin with.
func newTheatre(t *testing.T, server *mariadbtest.Server) *theatre {
	t.Helper()
	s := &theatre{t: t, server: server, dir: memoryDir(t)}
	if server != nil {
		s.dsn = server.Migrated(t)
	}
	return s
}

// in calls do with a fresh world in which nobody has ever been.
func (s *theatre) in(l legend, watched bool, do func(*little, *reading) error) (err error) {
	dir, err := os.MkdirTemp(s.dir, "world-")
	if err != nil {
		return err
	}
	w := littleIn(s.t, dir)
	w.tune, w.dsn = l.tune, s.dsn
	w.equip = func(a *app) {
		a.bot.Rand = hourRand{w} // codes of confirmation are parts of keys
		a.desk.Deadline = time.Hour
		if l.equip != nil {
			l.equip(w, a)
		}
	}
	var r *reading
	defer func() {
		if w.app != nil {
			err = errors.Join(err, w.app.close())
		}
		if r != nil && s.server == nil {
			err = errors.Join(err, r.db.Close())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := s.fresh(w); err != nil {
		return err
	}
	if watched {
		r = s.reads(w)
	}
	return do(w, r)
}

// fresh gives a world its database and its key.
func (s *theatre) fresh(w *little) error {
	key := strings.Repeat("00", sealKeyLen)
	if err := os.WriteFile(filepath.Join(filepath.Dir(w.path), "seal.key"), []byte(key+"\n"), 0o600); err != nil {
		return err
	}
	if s.server != nil {
		return s.empty(w)
	}
	return migratedAt(w.path)
}

// reads returns what reads a world's states.
func (s *theatre) reads(w *little) *reading {
	if s.server == nil {
		return w.read(nil)
	}
	s.reading.forget()
	return s.reading
}

// empty makes the theatre's database on the server a fresh one: only outboxes go on
// counting where they were.
func (s *theatre) empty(w *little) error {
	if s.reading == nil { // it is fresh
		s.reading = w.read(s.server)
		return nil
	}
	var parts []string
	for _, t := range s.reading.tables {
		parts = append(parts, "SELECT '"+t.name+"' FROM DUAL WHERE EXISTS (SELECT 1 FROM "+t.name+")")
	}
	used, err := column(s.reading.db, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return err
	}
	for _, name := range used {
		if _, err := s.reading.db.ExecContext(context.Background(), "TRUNCATE TABLE "+name); err != nil {
			return err
		}
	}
	return nil
}

// hourRand is random numbers that depend on the time alone.
type hourRand struct{ w *little }

func (r hourRand) Read(b []byte) (int, error) {
	h := sha256.Sum256([]byte(r.w.now().String()))
	return copy(b, h[:]), nil
}

func everyTable(string) bool { return true }
