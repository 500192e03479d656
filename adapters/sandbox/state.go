package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// stateFile keeps the world in Options.Dir.
const stateFile = "sandbox.json"

// A state is the whole world on disk.
type state struct {
	Ahead time.Duration              `json:"ahead"`          // of the clock
	Books map[string]json.RawMessage `json:"books"`          // of the markets
	Links map[string][]byte          `json:"links"`          // short links that the networks gave out
	Till  []byte                     `json:"till,omitempty"` // the book of the world's Alipay
}

// wake loads the world that was kept, if there is one.
func (w *World) wake() error {
	if w.opts.Dir == "" {
		return nil
	}
	path := filepath.Join(w.opts.Dir, stateFile)
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var st state
	if err := json.Unmarshal(b, &st); err != nil {
		return fmt.Errorf("%s: %w (remove it to begin with a new world)", path, err)
	}
	w.clock.set(st.Ahead)
	w.written = b
	errs := []error{}
	for _, s := range w.shops {
		if book := st.Books[s.Name]; book != nil {
			errs = append(errs, s.Market.Load(book))
		}
		if links := st.Links[s.Name]; links != nil && s.load != nil {
			errs = append(errs, s.load(links))
		}
	}
	if st.Till != nil {
		errs = append(errs, w.pay.Restore(st.Till))
	}
	return errors.Join(errs...)
}

// keepBook takes the newest book of a market, which calls with its book locked:
// nothing here may ask the market or a fake.
func (w *World) keepBook(name string, book []byte) {
	w.mu.Lock()
	w.books[name] = book
	w.mu.Unlock()
	w.ring()
}

// ring tells whoever wants to hear that something has changed.
func (w *World) ring() {
	w.mu.Lock()
	f := w.onChange
	w.mu.Unlock()
	if f != nil {
		f()
	}
}

// changed keeps the world and rings.
func (w *World) changed() {
	w.Save()
	w.ring()
}

// Save writes the world if it differs from what is on disk. Every request and
// every method of World does so by itself; who changes a market directly calls
// it. That it cannot be written is no reason to stop playing: the world then ends
// with the process.
func (w *World) Save() {
	if w.opts.Dir == "" {
		return
	}
	links := map[string][]byte{}
	for _, s := range w.shops {
		if s.save != nil {
			links[s.Name] = s.save()
		}
	}
	till := w.pay.Snapshot()
	w.mu.Lock()
	defer w.mu.Unlock()
	st := state{Ahead: w.clock.ahead(), Books: map[string]json.RawMessage{}, Links: links, Till: till}
	for name, book := range w.books {
		st.Books[name] = book
	}
	b, err := json.Marshal(st)
	if err != nil || bytes.Equal(b, w.written) {
		return
	}
	if err := replaceFile(filepath.Join(w.opts.Dir, stateFile), b); err == nil {
		w.written = b
	}
}

// replaceFile writes a file under another name and renames it, so that nobody
// ever reads half of it.
func replaceFile(path string, b []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
