package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"

	"fanli/core/ledger"
)

// How often long work says how far it is: a terminal sees a moving number, a pipe
// now and then a line.
const (
	terminalStep = 20_000
	pipeStep     = 1_000_000
)

// A counter is a ledger that says how much of it was read.
type counter struct {
	ledger.Reader
	w    io.Writer
	tty  bool
	what string
}

// counting returns r with its progress told on w.
func counting(r ledger.Reader, w io.Writer, what string) counter {
	f, ok := w.(*os.File)
	return counter{Reader: r, w: w, tty: ok && isatty.IsTerminal(f.Fd()), what: what}
}

// Walk reads the entries and tells how many.
func (c counter) Walk(ctx context.Context, fn func(ledger.Entry) error) error {
	step := int64(pipeStep)
	if c.tty {
		step = terminalStep
	}
	var n int64
	err := c.Reader.Walk(ctx, func(e ledger.Entry) error {
		n++
		if n%step == 0 {
			c.tell(n)
		}
		return fn(e)
	})
	if c.tty && n >= step {
		_, _ = fmt.Fprint(c.w, "\r\033[K") // the number has done its work
	}
	return err
}

func (c counter) tell(n int64) {
	if c.tty {
		_, _ = fmt.Fprintf(c.w, "\r%s: %d", c.what, n)
		return
	}
	_, _ = fmt.Fprintf(c.w, "%s: %d\n", c.what, n)
}
