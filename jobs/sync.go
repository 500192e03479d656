package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/order"
)

// Limits of following a feed.
const (
	pagesMax     = 10_000           // pages of one window; a feed that goes on for ever is a defect
	windowMin    = time.Minute      // a window is not halved below that
	windowsMax   = 48               // windows of one run, so that a long catch-up lets other work in between
	resumeMax    = 5 * time.Minute  // a page cursor older than that is not trusted: its window is read anew
	noteEvery    = 12               // empty windows between two writes of the watermark
	noteQuiet    = 20 * time.Second // a stream without news writes its watermark no more often
	errorTextMax = 300              // bytes of an error that are kept for operators
	firstBack    = 24 * time.Hour   // how far back a feed is read when it is seen for the first time
	restless     = time.Second      // a row that has just changed may change again within the same second, unseen; it comes again with the stream by time of change
	keepsMargin  = 10 * time.Minute // what a network still answers at the far end of its memory is not relied upon
)

// Follow is the rung that follows a stream; the others re-scan it.
const Follow = "follow"

// A Rung re-scans a stream: every so often, so far back. Changes that following
// has missed, because a row became visible late or a page slipped, are found
// here; so are changes that a stream by creation time does not show.
type Rung struct {
	Name  string
	Back  time.Duration
	Every time.Duration
}

// Ladder returns the usual rungs: the last day every hour, the last week every
// day, and the settlement month every week.
func Ladder() []Rung {
	return []Rung{
		{"day", 24 * time.Hour, time.Hour},
		{"week", 7 * 24 * time.Hour, 24 * time.Hour},
		{"month", 40 * 24 * time.Hour, 7 * 24 * time.Hour},
	}
}

// A Sync follows one stream of a feed on one rung. It reads closed windows one
// after the other, commits every page with its checkpoint, and raises the
// watermark only over windows that were read completely.
type Sync struct {
	Feed  order.Feed
	Scene order.Scene
	Rung  Rung // the zero Rung follows
	Book  *order.Book
	Now   func() time.Time
	First time.Duration // how far back to begin when nothing is known; 0: a day

	width time.Duration // of the next window; halved while the network finds windows too full
	noted time.Time     // when the watermark was last written
	scan  order.Window  // the re-scan's window to which the stored cursor belongs
}

// Plans returns the jobs that a feed needs: following every stream that mends
// itself, and re-scanning all streams. Processes share the streams of each rung.
func Plans(f order.Feed, book *order.Book, ladder []Rung, every string, first time.Duration, now func() time.Time) []Plan {
	var plans []Plan
	for _, s := range f.Scenes() {
		if s.Mends {
			plans = append(plans, Plan{Job: &Sync{Feed: f, Scene: s, Book: book, Now: now, First: first}, Every: every, Shared: shared(Follow)})
		}
		for _, r := range ladder {
			plans = append(plans, Plan{Job: &Sync{Feed: f, Scene: s, Rung: r, Book: book, Now: now}, Every: every, Shared: shared(r.Name)})
		}
	}
	return plans
}

// shared is the kind of the jobs of a rung.
func shared(rung string) string { return "feeds/" + rung }

func (s *Sync) follows() bool { return s.Rung.Name == "" }

// Place is where the job keeps its progress.
func (s *Sync) Place() order.Place {
	rung := s.Rung.Name
	if s.follows() {
		rung = Follow
	}
	return order.Place{Network: s.Feed.Network(), Account: s.Feed.Account(), Scene: s.Scene.Name, Rung: rung}
}

// Name returns "sync/jd/main/update/follow".
func (s *Sync) Name() string {
	p := s.Place()
	return "sync/" + p.Network + "/" + p.Account + "/" + p.Scene + "/" + p.Rung
}

// Run reads up to windowsMax windows.
func (s *Sync) Run(ctx context.Context, l lock.Lease) (Report, error) {
	p, err := s.Book.Store.Progress(ctx, s.Place())
	if err != nil {
		return Report{}, err
	}
	p.Place = s.Place()
	p.Fence = l.Token
	end, due := s.begin(&p)
	if !due {
		return Report{}, nil
	}
	r := &reading{Sync: s, p: p, end: end}
	err = r.windows(ctx)
	if err != nil {
		return Report{}, r.failed(ctx, err)
	}
	rep := Report{Done: r.changed, Text: r.text()}
	if r.at.Before(end) {
		rep.Done += r.count // there is more to read
	}
	return rep, nil
}

// begin decides what has to be read: from p.Done to end. due is false where
// nothing has to be.
func (s *Sync) begin(p *order.Progress) (end time.Time, due bool) {
	now := s.Now().Truncate(time.Second) // networks keep their times, and cut windows, in whole seconds
	oldest := now.Add(-s.Scene.Keeps + keepsMargin)
	end = now
	switch {
	case s.follows():
		if p.Done.IsZero() {
			first := s.First
			if first == 0 {
				first = firstBack
			}
			p.Done = now.Add(-first)
		}
	case p.To.After(oldest): // in the middle of a re-scan, which keeps its end in To between runs
		end = p.To
	case !p.At.IsZero() && now.Sub(p.At) < s.Rung.Every:
		return now, false
	default:
		p.To, p.Done, p.Cursor = now, now.Add(-s.Rung.Back), ""
	}
	if p.Done.Before(oldest) {
		p.Done, p.Cursor = oldest, ""
	}
	return end, p.Done.Before(end)
}

// A reading is one run of a Sync.
type reading struct {
	*Sync
	p       order.Progress
	end     time.Time
	at      time.Time // what was read in this run; following lets the watermark stay behind it
	ill     bool      // the stream was noted as failing
	count   int       // windows read
	rows    int
	changed int
	bad     int
	unnoted int
}

func (r *reading) windows(ctx context.Context) error {
	if r.width == 0 || r.width > r.Scene.Window {
		r.width = r.Scene.Window
	}
	r.at, r.ill = r.p.Done, r.p.Fails > 0
	for r.count < windowsMax && r.at.Before(r.end) {
		w := r.next()
		err := r.window(ctx, w)
		if fault.Is(err, fault.Invalid) && r.halve(w, fault.ReasonOf(err)) {
			continue
		}
		if err != nil {
			return err
		}
		r.count++
		r.width = min(r.width*2, r.Scene.Window)
	}
	quiet := r.follows() && !r.ill && r.Now().Sub(r.noted) < noteQuiet
	if r.unnoted > 0 && !quiet {
		return r.note(ctx)
	}
	return nil
}

// next returns the window that was interrupted, or else the one after what was
// read.
func (r *reading) next() order.Window {
	to := r.at.Add(r.width)
	if r.follows() && r.p.Cursor != "" && r.p.To.After(r.at) {
		to = r.p.To
	}
	if to.After(r.end) {
		to = r.end
	}
	return order.Window{Scene: r.Scene.Name, From: r.at, To: to}
}

// halve makes windows shorter than w when the network says so.
func (r *reading) halve(w order.Window, reason string) bool {
	length := w.To.Sub(w.From)
	if reason != "feed.window_too_full" && reason != "feed.window_too_long" || length <= windowMin {
		return false
	}
	r.width = max((length / 2).Truncate(time.Second), windowMin)
	r.p.Cursor = ""
	return true
}

// window reads all pages of one window and commits them one by one.
func (r *reading) window(ctx context.Context, w order.Window) error {
	cursor := r.resume(w)
	resumed := cursor != ""
	for range pagesMax {
		quiet := r.Now().Add(-restless).Truncate(time.Second)
		page, err := r.Feed.Pull(ctx, w, cursor)
		if err != nil {
			return err
		}
		if !r.Scene.Mends {
			page.Revisions = slices.DeleteFunc(page.Revisions, func(v order.Revision) bool { return !v.Modified.Before(quiet) })
		}
		cursor = page.Next
		next := r.p
		next.At, next.Failing, next.Fails, next.Error = r.Now(), time.Time{}, 0, ""
		switch {
		case cursor == "":
			r.finish(&next, w, resumed)
		case w.From.Equal(r.p.Done): // else the whole stretch from the watermark on is read again
			next.Cursor = cursor
			if r.follows() {
				next.To = w.To
			}
		}
		if err := r.commit(ctx, page, next, cursor == ""); err != nil {
			return err
		}
		r.scan = w
		if cursor == "" {
			r.read(w, resumed)
			return nil
		}
	}
	return fault.Newf(fault.Internal, "feed.endless", "%s: window %v has more than %d pages", r.Name(), w, pagesMax)
}

// resume returns the cursor at which a window that was interrupted goes on. A
// cursor is good for its own window only: following stores that window's end, a
// re-scan knows it while its process lives.
func (r *reading) resume(w order.Window) string {
	same := r.p.To.Equal(w.To) && w.From.Equal(r.p.Done)
	if !r.follows() {
		same = r.scan.From.Equal(w.From) && r.scan.To.Equal(w.To)
	}
	if fresh := r.Now().Sub(r.p.At) < resumeMax; r.p.Cursor != "" && fresh && same {
		return r.p.Cursor
	}
	r.p.Cursor = ""
	return ""
}

// finish moves the watermark over a window. Following never moves it closer to
// the time of reading than rows may still become visible; unchanged rows that
// are therefore read again cost nothing. The first pages of a window that was
// interrupted were read earlier, but not before its end.
func (r *reading) finish(p *order.Progress, w order.Window, resumed bool) {
	p.Cursor = ""
	if !r.follows() {
		p.Done = w.To
		if !p.Done.Before(r.end) {
			p.To = time.Time{}
		}
		return
	}
	p.To = time.Time{}
	began := r.end
	if resumed {
		began = w.To
	}
	done := began.Add(-r.Scene.Delay)
	if done.After(w.To) {
		done = w.To
	}
	if done.After(p.Done) {
		p.Done = done
	}
}

// read remembers that a window was read. What may have become visible while it
// was interrupted is read again at once.
func (r *reading) read(w order.Window, resumed bool) {
	r.at = w.To
	if resumed && r.follows() {
		r.at = r.p.Done
	}
}

// commit applies a page with its checkpoint. The watermark of an empty window is
// written only now and then: reading it again after a crash is harmless.
func (r *reading) commit(ctx context.Context, page order.Page, next order.Progress, last bool) error {
	r.rows += len(page.Revisions)
	r.bad += len(page.Bad)
	if len(page.Revisions)+len(page.Bad) == 0 && last {
		r.p = next
		r.unnoted++
		if r.unnoted >= noteEvery {
			return r.note(ctx)
		}
		return nil
	}
	changed, err := r.Book.Apply(ctx, page, &next)
	if err != nil {
		return err
	}
	r.p = next
	r.changed += changed
	r.unnoted = 0
	return nil
}

func (r *reading) note(ctx context.Context) error {
	r.unnoted, r.noted = 0, r.Now()
	return r.Book.Note(ctx, r.p)
}

// failed keeps what went wrong beside the watermark, for operators and for the
// stall alarm. Being stopped is nothing that went wrong; having used up the time
// of a run is.
func (r *reading) failed(ctx context.Context, cause error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return cause
	}
	p := r.p
	if p.Failing.IsZero() {
		p.Failing = r.Now()
	}
	p.Fails++
	p.Error = cause.Error()
	if len(p.Error) > errorTextMax {
		p.Error = strings.ToValidUTF8(p.Error[:errorTextMax], "")
	}
	if err := r.Book.Note(context.WithoutCancel(ctx), p); err != nil {
		return fmt.Errorf("%w (and its progress was not stored: %w)", cause, err)
	}
	return cause
}

// text says what was read, and for a re-scan what following had missed.
func (r *reading) text() string {
	switch {
	case r.changed == 0 && r.bad == 0:
		return ""
	case r.follows() || !r.Scene.Mends:
		return fmt.Sprintf("%d windows, %d rows, %d changed, %d unreadable", r.count, r.rows, r.changed, r.bad)
	default:
		return fmt.Sprintf("gap: following had missed %d of %d rows; %d unreadable", r.changed, r.rows, r.bad)
	}
}

// Stalls returns the streams that have had no success for longer than after, for
// the alarm.
func Stalls(ps []order.Progress, now time.Time, after time.Duration) []order.Progress {
	var out []order.Progress
	for _, p := range ps {
		if p.Rung == Follow && now.Sub(p.At) > after {
			out = append(out, p)
		}
	}
	return out
}
