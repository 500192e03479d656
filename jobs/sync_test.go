package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
	"fanli/jobs"
)

// minutes puts n rows into the stream, one a minute up to now.
func (w *world) minutes(n int) {
	w.t.Helper()
	for i := range n {
		w.feed.put(fmt.Sprintf("r%04d", i), w.now().Add(-time.Duration(n-i)*time.Minute), 0)
	}
}

func TestFollowingReadsEveryWindowFromFirstToNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	s.First = 150 * time.Minute
	w.run(s)
	from := start.Add(-s.First)
	asked := w.feed.asked()
	for i, p := range asked {
		wantTime(t, fmt.Sprintf("start of window %d", i), p.From, from)
		if length := p.To.Sub(p.From); length > time.Hour || length <= 0 || p.cursor != "" || p.Scene != "update" {
			t.Errorf("window %d is %+v", i, p)
		}
		from = p.To
	}
	wantTime(t, "the end of what was read", from, start)
	if len(asked) != 3 {
		t.Errorf("two and a half hours are %d windows of an hour", len(asked))
	}
	wantTime(t, "the watermark", w.progress(s).Done, start.Add(-10*time.Minute))
}

func TestFollowingBeginsADayAgoWhereNothingIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	s.First = 0
	w.run(s)
	wantTime(t, "where reading began", w.feed.asked()[0].From, start.Add(-24*time.Hour))
}

func TestFollowingGoesOnFromTheWatermark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(30)
	w.catchUp(w.follower())
	w.feed.asked()
	w.advance(20 * time.Minute)
	w.feed.put("new", w.now().Add(-time.Minute), 0)
	r := w.run(w.follower()) // also after a restart
	asked := w.feed.asked()
	if len(asked) != 1 || r.Done != 1 {
		t.Errorf("%d windows were read and %d lines changed: %+v", len(asked), r.Done, asked)
	}
	wantTime(t, "where reading went on", asked[0].From, start.Add(-10*time.Minute))
	wantTime(t, "where it ended", asked[0].To, w.now())
	w.wantAll()
}

func TestTheOverlapIsReadAgainAndWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(60)
	s := w.follower()
	w.catchUp(s)
	before, events := w.counts(), len(w.events())
	first, _ := w.line("r0059")
	for range 5 {
		w.advance(time.Minute)
		w.feed.asked()
		if r := w.run(s); r.Done != 0 || r.Text != "" {
			t.Errorf("a run without news reports %+v", r)
		}
		if asked := w.feed.asked(); len(asked) != 1 || asked[0].From.After(w.now().Add(-10*time.Minute)) {
			t.Errorf("the overlap is not read: %+v", asked)
		}
	}
	again, _ := w.line("r0059")
	history, err := w.db.Orders().History(t.Context(), again.Key)
	must(t, err)
	if again.Rev != 1 || again.ID != first.ID || len(history) != 1 || w.counts() != before || len(w.events()) != events {
		t.Errorf("rows that were read %d times: rev %d, %d raw rows, %+v, %d events instead of %d",
			6, again.Rev, len(history), w.counts(), len(w.events()), events)
	}
}

func TestTheWatermarkStaysBehindWhatMayStillBecomeVisible(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.feed.put("late", start.Add(-time.Second), 10*time.Minute)
	for range 11 {
		w.catchUp(s)
		if p := w.progress(s); p.Done.After(w.now().Add(-10 * time.Minute)) {
			t.Fatalf("at %s the watermark is %s", w.now(), p.Done)
		}
		w.advance(time.Minute)
	}
	if _, ok := w.line("late"); !ok {
		t.Error("a row that became visible ten minutes late was missed")
	}
}

func TestEveryPageIsCommittedWithItsCheckpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(50)
	w.feed.size = 20
	s := w.follower()
	s.First = time.Hour
	w.feed.failing(func(n int) error { // looks at the database before each page
		p := w.progress(s)
		if want := int64(20 * (n - 1)); w.counts().Lines != want && n <= 3 {
			t.Errorf("before page %d there are %d lines, want %d", n, w.counts().Lines, want)
		}
		if n == 2 || n == 3 {
			wantTime(t, "the end of the window that is being read", p.To, start)
			if p.Cursor == "" || !p.Done.Equal(start.Add(-time.Hour)) {
				t.Errorf("before page %d the checkpoint is %+v", n, p)
			}
		}
		return nil
	})
	w.catchUp(s)
	if p := w.progress(s); p.Cursor != "" || !p.To.IsZero() || !p.Done.Equal(start.Add(-10*time.Minute)) {
		t.Errorf("in the end the checkpoint is %+v", p)
	}
	if n := len(w.events()); n != 3 {
		t.Errorf("three pages made %d events", n)
	}
}

func TestARowThatCannotBeReadIsKeptOnceAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(5)
	w.feed.spoil = func(p *order.Page) {
		p.Bad = append(p.Bad, order.Bad{Key: w.feed.key("bad"), Raw: []byte("{"), Err: fault.New(fault.Invalid, "jd.row")})
	}
	s := w.follower()
	s.First = time.Hour
	r := w.run(s)
	if r.Done != 5 {
		t.Errorf("%d lines changed beside the bad row", r.Done)
	}
	wantText(t, "the report", r.Text, "5 changed, 1 unreadable")
	w.advance(time.Minute)
	w.run(w.follower())
	if c := w.counts(); c.Quarantined != 1 || c.Lines != 5 {
		t.Errorf("%+v", c)
	}
	wantTime(t, "the watermark", w.progress(s).Done, w.now().Add(-10*time.Minute))
}

func TestPlansFollowWhatMendsItselfAndRescanAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	created := order.Scene{Name: "created", Window: time.Hour, Keeps: 90 * 24 * time.Hour}
	both := twoScenes{w.feed, []order.Scene{mending(), created}}
	var names []string
	for _, p := range jobs.Plans(both, w.book, jobs.Ladder(), "@every 5s", time.Hour, w.now) {
		names = append(names, p.Job.Name()+" "+p.Every)
	}
	want := []string{
		"sync/jd/main/update/follow @every 5s", "sync/jd/main/update/day @every 5s", "sync/jd/main/update/week @every 5s",
		"sync/jd/main/update/month @every 5s", "sync/jd/main/created/day @every 5s", "sync/jd/main/created/week @every 5s",
		"sync/jd/main/created/month @every 5s",
	}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("plans are\n%v, want\n%v", names, want)
	}
}

type twoScenes struct {
	order.Feed
	scenes []order.Scene
}

func (f twoScenes) Scenes() []order.Scene { return f.scenes }

func TestAFeedWithoutEndIsADefect(t *testing.T) {
	t.Parallel()
	scene := mending()
	s := &jobs.Sync{
		Feed: endless{twoScenes{nil, []order.Scene{scene}}}, Scene: scene, Now: func() time.Time { return start },
		Book: &order.Book{Store: nowhere{}, Now: func() time.Time { return start }},
	}
	_, err := s.Run(t.Context(), lease(1))
	if !fault.Is(err, fault.Internal) || fault.ReasonOf(err) != "feed.endless" {
		t.Errorf("got %v", err)
	}
}

// endless has one more empty page after every page.
type endless struct{ twoScenes }

func (endless) Network() string { return "jd" }
func (endless) Account() string { return "main" }
func (endless) Pull(_ context.Context, _ order.Window, cursor string) (order.Page, error) {
	return order.Page{Next: cursor + "."[len(cursor)/5000:]}, nil
}

// nowhere is an order store that keeps nothing.
type nowhere struct{ order.Store }

func (nowhere) Progress(_ context.Context, p order.Place) (order.Progress, error) {
	return order.Progress{Place: p}, nil
}
func (nowhere) InTx(_ context.Context, fn func(order.Tx) error) error { return fn(nothing{}) }

type nothing struct{ order.Tx }

func (nothing) Lines([]order.Key) (map[order.Key]order.Line, error) { return nil, nil }
func (nothing) SetProgress(order.Progress) error                    { return nil }

func TestStallsAreStreamsWithoutSuccessForTooLong(t *testing.T) {
	t.Parallel()
	p := func(rung string, ago time.Duration) order.Progress {
		return order.Progress{Place: order.Place{Scene: ago.String(), Rung: rung}, At: start.Add(-ago)}
	}
	never := order.Progress{Place: order.Place{Scene: "never", Rung: jobs.Follow}, Failing: start}
	got := jobs.Stalls([]order.Progress{
		p(jobs.Follow, time.Minute), p(jobs.Follow, time.Hour), p(jobs.Follow, 61*time.Minute), p("day", 48*time.Hour), never,
	}, start, time.Hour)
	var names []string
	for _, s := range got {
		names = append(names, s.Scene)
	}
	if fmt.Sprint(names) != "[1h1m0s never]" {
		t.Errorf("stalled are %v", names)
	}
}
