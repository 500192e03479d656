package main

import (
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// How often long work says how far it is: a terminal sees a moving number, a pipe
// now and then a line.
const (
	terminalStep = 20_000
	pipeStep     = 1_000_000
)

// A counter says how much has been read.
type counter struct {
	w    io.Writer
	tty  bool
	what string
}

// counting returns a counter that tells on w.
func counting(w io.Writer, what string) counter {
	f, ok := w.(*os.File)
	return counter{w: w, tty: ok && isatty.IsTerminal(f.Fd()), what: what}
}

// count tells n if it is time to.
func (c counter) count(n int64) {
	switch {
	case c.tty && n%terminalStep == 0:
		_, _ = fmt.Fprintf(c.w, "\r%s: %d", c.what, n)
	case !c.tty && n%pipeStep == 0 && n > 0:
		_, _ = fmt.Fprintf(c.w, "%s: %d\n", c.what, n)
	}
}

// done takes the moving number away: it has done its work.
func (c counter) done() {
	if c.tty {
		_, _ = fmt.Fprint(c.w, "\r\033[K")
	}
}
