package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanli/core/link"
)

// lineBytesMax limits one message on standard input. What is longer is read to
// its end and recognised by its beginning.
const lineBytesMax = 1 << 20

func recogniseCommand(std stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "recognise",
		Short: "Say what links, 口令 and order numbers are in texts",
		Long: `Reads texts on standard input, one message per line, and prints what was
recognised. A line feed inside a message is written as the two characters \n.

With --json it prints one array per line of input, in the order of the text, of
objects {"network","kind","id","token","url","title"}. Kinds: item short token
coupon click activity order other. Empty fields are left out; [] for nothing.`,
		Example: `  echo '看看 https://item.jd.com/100012043978.html' | fanli recognise --json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			return recognise(std.in, std.out, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON array per line of input")
	return cmd
}

func recognise(in io.Reader, out io.Writer, asJSON bool) error {
	r := bufio.NewReaderSize(in, 64<<10)
	w := bufio.NewWriter(out)
	var refs []link.Ref
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return err
		}
		refs = link.AppendRefs(refs[:0], strings.ReplaceAll(line, `\n`, "\n"))
		if asJSON {
			err = writeJSON(w, refs)
		} else {
			err = writeText(w, refs)
		}
		if err != nil {
			return err
		}
		if r.Buffered() == 0 { // somebody may be waiting for this line
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// readLine returns one line without its end. A line beyond lineBytesMax is cut
// there; io.EOF comes only where there is no line any more.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := lineBytesMax - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0 && len(part) == 0:
			return "", io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		}
		return string(bytes.TrimRight(line, "\r\n")), nil
	}
}

func writeJSON(w io.Writer, refs []link.Ref) error {
	if refs == nil {
		refs = []link.Ref{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(refs)
}

func writeText(w io.Writer, refs []link.Ref) error {
	if len(refs) == 0 {
		_, err := fmt.Fprintln(w, "-")
		return err
	}
	var parts []string
	for _, r := range refs {
		s := strings.TrimSpace(r.Network + " " + string(r.Kind))
		for _, p := range []string{r.ID, r.Token, r.URL, r.Title} {
			if p != "" {
				s += " " + p
			}
		}
		parts = append(parts, s)
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, " | "))
	return err
}
