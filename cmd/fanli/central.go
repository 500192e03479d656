package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fanli/adapters/central"
	"fanli/adapters/registry"
	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/fault"
)

// readTimeoutCentral bounds how long a command waits for the central configuration.
const readTimeoutCentral = 5 * time.Second

// olderMax is how many versions a process that starts goes back if the one that
// counts is broken.
const olderMax = 10

// A given is a configuration as it was given to us, and how it is read again.
type given struct {
	*configs.Loaded
	src     configs.Sources // without a central document
	data    string          // from the command line; "" for the configured folder
	version central.Version // the central one in it; its number is 0 where there is none
	refused refusal
	absent  error // why the etcd could not be asked
}

// A refusal is a central version that does not count, because it is broken.
type refusal struct {
	number int64
	why    error
}

// centralName is how people know a version.
func centralName(n int64) string {
	if n == 0 {
		return "the central configuration"
	}
	return fmt.Sprintf("central v%d", n)
}

// layer is a version as a layer of the configuration; nil for none.
func layer(v central.Version) *configs.Layer {
	if v.Number == 0 {
		return nil
	}
	return &configs.Layer{Name: centralName(v.Number), Text: v.Text}
}

// with reads the configuration with a central version in it.
func (r *given) with(v central.Version) (*configs.Loaded, error) {
	s := r.src
	s.Central = layer(v)
	l, err := s.Load()
	if err == nil && r.data != "" {
		l.Data = r.data
	}
	return l, err
}

// openCentral returns the book in the configured registry. Nothing is reached yet.
func openCentral(c configs.Config) (*central.Book, error) {
	o, err := registryConfig(c.Registry, nil)
	if err != nil {
		return nil, err
	}
	client, err := o.Client()
	if err != nil {
		return nil, fmt.Errorf("registry.url: %w", err)
	}
	return central.Open(client, registry.Dir(c.Registry.Prefix)), nil
}

// centralOn reports whether there is a central configuration.
func centralOn(c configs.Config) bool { return c.Central.Enabled && c.Registry.URL != "" }

// addCentral lays the central version that counts over what was read, or, where that
// one is broken or cannot be asked for, the last good one.
func (r *given) addCentral(ctx context.Context) error {
	book, err := openCentral(r.Config)
	if err != nil {
		return err
	}
	defer func() { _ = book.Close() }()
	ctx, cancel := context.WithTimeout(ctx, readTimeoutCentral)
	defer cancel()
	kept, found := r.kept()
	now, head, err := book.Current(ctx)
	switch {
	case fault.Is(err, fault.Unavailable) && found:
		r.absent = err
		return r.first([]central.Version{kept})
	case fault.Is(err, fault.Unavailable):
		return fmt.Errorf("the central configuration cannot be read, and there is no copy of it in %s: %w; look at registry.url and the etcd, or go without it by FANLI_CENTRAL_ENABLED=false", r.folder(), err)
	case err == nil && now.Number == 0:
		return r.first([]central.Version{{}})
	}
	var tries []central.Version
	if err != nil {
		r.refused = refusal{head.Number, err}
	} else {
		tries = append(tries, now)
	}
	if found {
		tries = append(tries, kept)
	}
	older, oerr := book.History(ctx, olderMax)
	for _, v := range older {
		if (head.Number == 0 || v.Number < head.Number) && v.Text != "" {
			tries = append(tries, v)
		}
	}
	if len(tries) == 0 {
		return errors.Join(err, oerr)
	}
	return r.first(tries)
}

// first takes the first of versions that is sound. If none is, it returns what is
// wrong with the first.
func (r *given) first(versions []central.Version) error {
	var failed error
	for _, v := range versions {
		l, err := r.with(v)
		if err == nil {
			r.Loaded, r.version = l, v
			return nil
		}
		if failed == nil {
			failed = err
		}
		if r.refused.why == nil {
			r.refused = refusal{v.Number, err}
		}
	}
	return failed
}

// warn says on w what of the central configuration does not count, and why.
func (r *given) warn(w io.Writer) {
	if r.absent != nil {
		_, _ = fmt.Fprintf(w, "fanli: the central configuration cannot be read; the copy of v%d in %s counts\n", r.version.Number, r.folder())
	}
	if r.refused.why == nil {
		return
	}
	for _, m := range configs.Mistakes(r.refused.why) {
		_, _ = fmt.Fprintf(w, "fanli: %s is broken: %v\n", centralName(r.refused.number), m)
	}
	_, _ = fmt.Fprintf(w, "fanli: v%d counts instead; `fanli config rollback` or `fanli config set` replaces the broken one\n", r.version.Number)
}

// folder is where this process keeps its copy.
func (r *given) folder() string {
	if r.data != "" {
		return r.data
	}
	return r.Data
}

// copyPath is where the last good version is kept, so that a process can start while
// the etcd is down.
func (r *given) copyPath() string { return filepath.Join(r.folder(), "central.json") }

// kept returns the last good version that this process, or the one before it, ran.
func (r *given) kept() (v central.Version, ok bool) {
	text, err := os.ReadFile(r.copyPath())
	if err != nil || json.Unmarshal(text, &v) != nil {
		return central.Version{}, false
	}
	return v, true
}

// keep replaces the copy as a whole: a crash leaves the old one or the new one.
func (r *given) keep(v central.Version) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(r.folder(), "central-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), r.copyPath())
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// configSet is the act of whoever makes a central version count.
const configSet = "config.set"

// recordVersion enters in the record of acts that somebody made a version count. It
// is entered once, whoever enters it: the command that did it, or, where that could
// not, the process that keeps the record.
func (a *app) recordVersion(ctx context.Context, v central.Version) error {
	by := v.By
	if by == "" {
		by = "etcd" // somebody who wrote there without us
	}
	at := v.At
	if at.IsZero() {
		at = a.now()
	}
	on := fmt.Sprintf("config/%d", v.Number)
	e, err := audit.Say(fmt.Sprintf("%s/%d", on, v.At.UnixMilli()), at, audit.Act{Actor: by, What: configSet, On: on, Reason: v.Note, After: v.Changes})
	if err != nil {
		return err
	}
	return a.staffActed(ctx, e)
}
