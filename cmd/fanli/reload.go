package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"fanli/adapters/central"
	"fanli/configs"
	"fanli/core/fault"
)

// How the files of the configuration are looked at, and how soon what did not work is
// tried again.
const (
	lookEvery  = 500 * time.Millisecond
	againAfter = time.Second
)

// needsRestart is why a key that has changed does not count yet.
const needsRestart = "it needs a restart"

// A live is the configuration of a process that runs. It watches the operator's file
// and the central configuration, takes what is sound, and keeps what ran where it is
// not. What can change while the process runs is in [settings].
//
// One goroutine looks and takes; what others read is swapped as a whole.
type live struct {
	a       *app
	read    *given
	level   *slog.LevelVar
	prepare func(configs.Config) configs.Config // puts the sandbox in its place
	book    *central.Book                       // nil where there is no central configuration
	process string
	started *configs.Loaded // what keys that need a restart are held against

	now      *configs.Loaded   // what counts
	version  central.Version   // that is in it
	held     map[string]string // keys that could not be taken, and why
	said     string            // the last refusal, so that it is said once
	recorded int64             // the version whose act is in the record
	reports  chan central.Report

	mu     sync.Mutex
	status central.Report // for others
}

// newLive returns the configuration of an app that was made from r.
func newLive(a *app, r *given, level *slog.LevelVar, process string, prepare func(configs.Config) configs.Config) (*live, error) {
	l := &live{
		a: a, read: r, level: level, prepare: prepare, process: process, started: r.Loaded, now: r.Loaded, version: r.version,
		held: map[string]string{}, reports: make(chan central.Report, 1),
	}
	if !centralOn(r.Config) {
		return l, nil
	}
	var err error
	l.book, err = openCentral(r.Config)
	l.status = l.report(central.Report{}) // before anybody asks
	return l, err
}

// run watches until ctx ends. Without a file and without a central configuration
// there is nothing to watch.
func (l *live) run(ctx context.Context) {
	if l.book == nil && l.read.src.Path == "" {
		return
	}
	wake := make(chan struct{}, 1)
	ring := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	defer signal.Stop(asked)
	var all sync.WaitGroup
	defer all.Wait()
	if path := l.read.src.Path; path != "" {
		last, _ := os.Stat(path) // before it is read for the first time: what changes after that rings
		all.Go(func() { watchFile(ctx, path, last, ring) })
	}
	if l.book != nil {
		l.begin()
		all.Go(func() { l.book.Watch(ctx, ring, func(t central.Trial) { l.judge(ctx, t) }) })
		all.Go(func() { l.book.Tell(ctx, l.process, l.started.Registry.Lease, l.reports) })
	}
	for {
		again := l.look(ctx)
		var later <-chan time.Time
		if again {
			later = time.After(againAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-asked:
			l.said = "" // who asks wants to hear it again
			l.a.log.InfoContext(ctx, "the configuration is read again: asked by SIGHUP")
		case <-wake:
		case <-later:
		}
	}
}

// begin says and keeps what the process has started with.
func (l *live) begin() {
	if l.read.absent != nil {
		l.a.log.Warn("the central configuration cannot be read: the copy of it counts", "version", l.version.Number, "error", l.read.absent)
	} else if err := l.read.keep(l.version); err != nil {
		l.a.log.Error("the central configuration cannot be kept: without the etcd this process cannot start", "error", err, "try", "look at the data folder")
	}
	if l.read.refused.why != nil {
		l.refuse(centralName(l.read.refused.number), l.read.refused.number, l.read.refused.why)
		return
	}
	l.tell(central.Report{})
}

// close ends the connection to the etcd.
func (l *live) close() error {
	if l == nil || l.book == nil {
		return nil
	}
	return l.book.Close()
}

// watchFile rings when the file is not any more what it was last, and then stayed the same
// for a moment: who writes it may begin by emptying it.
func watchFile(ctx context.Context, path string, last os.FileInfo, ring func()) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	rung := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, err := os.Stat(path)
		switch {
		case err != nil: // on the way from one file to the next, or gone: what ran goes on
		case last == nil || !os.SameFile(now, last) || !now.ModTime().Equal(last.ModTime()) || now.Size() != last.Size():
			last, rung = now, false
		case !rung:
			rung = true
			ring()
		}
	}
}

// judge says whether this process would take a document.
func (l *live) judge(ctx context.Context, t central.Trial) {
	s := l.read.src
	s.Central = &configs.Layer{Name: "the new version", Text: t.Text}
	_, err := s.Load()
	if err := l.book.Answer(ctx, t, central.Verdict{Process: l.process, Why: short(err)}); err != nil {
		l.a.log.WarnContext(ctx, "somebody wants to try a configuration, and does not hear what it would be here", "error", err)
	}
}

// look reads everything again and takes what is sound. It reports whether that has to
// be tried again by itself.
func (l *live) look(ctx context.Context) (again bool) {
	v, unsound := l.version, error(nil)
	if l.book != nil {
		now, head, err := l.book.Current(ctx)
		switch {
		case fault.Is(err, fault.Unavailable): // the watch looks again once it is back
			if l.said != "" { // what was wrong is wrong
				unsound = err
			}
		case err != nil:
			unsound = err
			l.refuse(centralName(head.Number), head.Number, err)
		default:
			v = now
		}
	}
	if i, err := os.Stat(l.read.src.Path); err == nil && i.Size() == 0 && l.read.src.Path != "" {
		l.refuse(l.read.src.Path, 0, errors.New("the file is empty; nobody has meant that"))
		return false
	}
	again = l.record(ctx, v)
	next, err := l.read.with(v)
	if err != nil && v.Number != l.version.Number {
		l.refuse(centralName(v.Number), v.Number, err)
		unsound = err
		v = l.version
		next, err = l.read.with(v) // the file may have changed at the same time
	}
	if err != nil {
		if unsound == nil {
			l.refuse(l.read.src.Path, 0, err)
		}
		return again
	}
	if err := l.take(ctx, next, v, unsound == nil); err != nil {
		l.a.log.ErrorContext(ctx, "the configuration could not be taken; it is tried again", "version", v.Number, "error", err)
		return true
	}
	return again
}

// record enters a version in the record of acts, in the process that keeps it. It
// reports whether that did not work.
func (l *live) record(ctx context.Context, v central.Version) (failed bool) {
	if v.Number == 0 || v.Number == l.recorded || !l.a.here(paymentTarget) {
		return false
	}
	err := l.a.recordVersion(ctx, v)
	if err != nil && !fault.Is(err, fault.Invalid) {
		l.a.log.ErrorContext(ctx, "who changed the configuration is not in the record of acts yet", "version", v.Number, "error", err)
		return true
	}
	l.recorded = v.Number
	return false
}

// take makes a sound configuration count. If it fails nothing has changed that is not
// made again by the next try.
func (l *live) take(ctx context.Context, next *configs.Loaded, v central.Version, whole bool) error {
	ready := l.prepare(next.Config)
	changed := configs.Differences(l.now, next)
	held := map[string]string{}
	for _, s := range settings() {
		keys := s.among(changed)
		if len(keys) == 0 {
			continue
		}
		for _, k := range keys {
			delete(l.held, k)
		}
		var no keptBackError
		switch err := s.apply(ctx, l, ready); {
		case errors.As(err, &no):
			for _, k := range keys {
				held[k] = string(no)
			}
		case err != nil:
			return fmt.Errorf("%s: %w", strings.Join(keys, ", "), err)
		}
	}
	for k, why := range held {
		l.held[k] = why
	}
	l.a.live.Store(&ready)
	fresh := v.Number != l.version.Number || v.Text != l.version.Text
	l.now, l.version = next, v
	if len(changed) > 0 || fresh {
		l.taken(ctx, changed)
	}
	if l.book != nil && fresh {
		if err := l.read.keep(v); err != nil {
			l.a.log.ErrorContext(ctx, "the central configuration cannot be kept: without the etcd this process cannot start", "error", err)
		}
	}
	if whole && (fresh || len(changed) > 0 || l.said != "") {
		l.said = ""
		l.tell(central.Report{})
	}
	return nil
}

// taken says in the log what has changed. Values are not in it.
func (l *live) taken(ctx context.Context, changed []configs.Difference) {
	l.a.obs.Configured(nil)
	var keys []string
	for _, d := range changed {
		keys = append(keys, d.Key)
	}
	l.a.log.InfoContext(ctx, "a new configuration counts", "version", l.version.Number, "changed", keys)
	if waits := l.waits(); len(waits) > 0 {
		l.a.log.WarnContext(ctx, "a part of the configuration does not count yet", "keys", waits)
	}
}

// waits are the keys that have changed and do not count yet, with the reason.
func (l *live) waits() map[string]string {
	out := map[string]string{}
	for _, d := range configs.Differences(l.started, l.now) {
		if settingOf(d.Key) == nil {
			out[d.Key] = needsRestart
		}
	}
	for k, why := range l.held {
		out[k] = why
	}
	return out
}

// refuse says, once, that a document is not taken. What ran goes on.
func (l *live) refuse(where string, number int64, why error) {
	l.a.obs.Configured(why)
	all := mistakes(why)
	said := where + "\n" + strings.Join(all, "\n")
	if said == l.said {
		return
	}
	l.said = said
	try := "correct the file; `fanli check` says when it is sound"
	if number != 0 || where == centralName(0) {
		try = "`fanli config rollback N` or `fanli config set`; `fanli config history` shows who has changed what"
	}
	l.a.log.Error("a new configuration is not taken; what ran goes on", "where", where, "mistakes", all, "try", try)
	l.tell(central.Report{Refused: number, Why: short(why)})
}

// whyMax bounds what a process says of a refusal.
const whyMax = 2000

// report fills in what a process says of itself.
func (l *live) report(r central.Report) central.Report {
	r.Process, r.Targets, r.Version, r.At = l.process, l.a.cfg.Targets, l.version.Number, time.Now()
	r.Waits = l.waits()
	return r
}

// short is what is wrong with a configuration, on one line that is not too long.
func short(err error) string {
	s := strings.Join(mistakes(err), "; ")
	if len(s) > whyMax {
		s = strings.ToValidUTF8(s[:whyMax], "") + "…"
	}
	return s
}

// mistakes are what is wrong with a configuration.
func mistakes(err error) (out []string) {
	for _, m := range configs.Mistakes(err) {
		out = append(out, m.Error())
	}
	return out
}

// tell says to the others how it is here.
func (l *live) tell(r central.Report) {
	r = l.report(r)
	l.mu.Lock()
	l.status = r
	l.mu.Unlock()
	select {
	case <-l.reports: // nobody has taken the one before
	default:
	}
	l.reports <- r
}

// state is how the configuration is, for /readyz: nil where there is nothing to say.
func (l *live) state() map[string]any {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]any{}
	if l.book != nil {
		out["version"] = l.status.Version
	}
	if l.status.Why != "" {
		out["refused"] = l.status.Refused
	}
	if len(l.status.Waits) > 0 {
		keys := make([]string, 0, len(l.status.Waits))
		for k := range l.status.Waits {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		out["waits"] = keys
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// conf is the configuration that counts now. Only what [settings] lists may be other
// than in the one that the app was made from.
func (a *app) conf() configs.Config {
	if c := a.live.Load(); c != nil {
		return *c
	}
	return a.cfg
}
