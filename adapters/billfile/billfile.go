// Package billfile reads the files in which networks tell what they settle, payers
// what they have paid, and collectors what people have paid us.
//
// A file is a table as text: comma, semicolon or tab between the cells, quoted or
// not, in UTF-8 or GBK, with or without a byte order mark, or in UTF-16 with one.
// Which column is what is data: a [Format]; formats.yaml has those of the networks
// and payers that we know, and an operator may bring another.
//
// # Guarantees
//
//   - Amounts are read digit by digit and exactly; a row with more digits than a
//     fen, or with anything else that is odd, comes back as unreadable with its
//     line number and its text, and the rest of the file goes on.
//   - Reading needs memory for a row and not for the file.
//   - A file without the columns that are needed, or one that is no text, is
//     refused as a whole with fault.Invalid.
package billfile

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"fanli/core/fault"
	"fanli/core/reconcile"
)

// rowBytesMax bounds a row; a longer one is unreadable.
const rowBytesMax = 64 << 10

//go:embed formats.yaml
var known []byte

// A Format says which column is what. Each has a list of names, of which the
// first that the file has counts.
type Format struct {
	Key    []string `yaml:"key"`
	Sum    []string `yaml:"sum"`    // commission, or amount of a payout
	Less   []string `yaml:"less"`   // deducted from it: a fee; may be missing
	Fee    []string `yaml:"fee"`    // that a collector has kept of the sum; may be missing
	Price  []string `yaml:"price"`  // what the buyer paid; may be missing
	Refund []string `yaml:"refund"` // may be missing
	State  []string `yaml:"state"`  // may be missing
	Time   []string `yaml:"time"`   // may be missing

	// Back is the number of a refund. A row that has one is money that went back: that
	// is its key, its sum counts below zero, and its time is that of BackTime.
	Back     []string `yaml:"back"`
	BackTime []string `yaml:"back_time"`

	// Only says which rows count, in a book that has others, too: those in which one of
	// the columns has one of its words. Where the file has none of the columns all do.
	Only map[string][]string `yaml:"only"`
	// Came is what has come, where that has a column of its own beside what went. A row
	// with such a sum is a payment of ours that came back, or none of ours if it has no
	// key.
	Came []string `yaml:"came"`

	// Fen says that amounts are whole fen and not yuan.
	Fen bool `yaml:"fen"`
	// Outgoing says that a sum below zero is one that has left, and counts as one
	// above.
	Outgoing bool `yaml:"outgoing"`
	// States are our words for theirs. A state that is not here is unreadable.
	States map[string]string `yaml:"states"`
	// Void are states of ours in which nothing moves, whatever the sum says.
	Void []string `yaml:"void"`
	// Skip are beginnings of lines before and after the table.
	Skip []string `yaml:"skip"`
	// End are beginnings of lines with which the table is over.
	End []string `yaml:"end"`
}

// Formats returns the formats that we know, by the name of network or payer, or
// "alipay/trade" for what a collector has taken.
func Formats() (map[string]Format, error) {
	out := map[string]Format{}
	return out, fault.Wrap(fault.Internal, "billfile.Formats", yaml.Unmarshal(known, &out))
}

// ReadFormat reads an operator's format.
func ReadFormat(b []byte) (Format, error) {
	var f Format
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return f, fault.Newf(fault.Invalid, "", "not a format: %w", err)
	}
	if len(f.Key) == 0 || len(f.Sum) == 0 {
		return f, fault.Newf(fault.Invalid, "", "a format needs at least key and sum")
	}
	return f, nil
}

// A File is a file that is read as often as wanted.
type File struct {
	path   string
	format Format
	zone   *time.Location
	code   encoding.Encoding // nil: UTF-8
	comma  rune
	head   []string
}

// Open looks at a file and finds its columns.
func Open(path string, f Format, zone *time.Location) (*File, error) {
	file := &File{path: path, format: f, zone: zone}
	if err := file.sniff(); err != nil {
		return nil, err
	}
	for l, err := range file.lines() {
		if err != nil {
			return nil, err
		}
		if file.skipped(l.text) {
			continue
		}
		file.comma = comma(l.text)
		cells, err := split(l.text, file.comma)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "", "%s: line %d is no header: %w", path, l.number, err)
		}
		file.head = cells
		break
	}
	for _, c := range []struct {
		what  string
		names []string
	}{{"key", f.Key}, {"sum", f.Sum}} {
		if file.column(c.names) < 0 {
			return nil, fault.Newf(fault.Invalid, "", "%s has no column for the %s: one of %q is needed, and it has %q; a format of your own helps", path, c.what, c.names, file.head)
		}
	}
	return file, nil
}

// sniff reads the file once to find out how its text is written.
func (f *File) sniff() error {
	r, err := os.Open(f.path)
	if err != nil {
		return fault.Wrap(fault.NotFound, "billfile.Open", err)
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, rowBytesMax)
	start, _ := b.Peek(4)
	for _, magic := range []string{"PK\x03\x04", "\xd0\xcf\x11\xe0", "%PDF"} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return fault.Newf(fault.Invalid, "", "%s is no text: save it as CSV first", f.path)
		}
	}
	if bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) {
		f.code = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM) // the mark says which way round
		return nil
	}
	for {
		line, err := b.ReadSlice('\n') // a long line is cut between bytes, so only whole runes are judged
		if bytes.IndexByte(line, 0) >= 0 {
			return fault.Newf(fault.Invalid, "", "%s is no text", f.path)
		}
		if !errors.Is(err, bufio.ErrBufferFull) && !utf8.Valid(line) {
			f.code = simplifiedchinese.GB18030
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return fault.Wrap(fault.Unavailable, "billfile.Open", err)
		}
	}
}

// A line is one of the file, without its end.
type line struct {
	number int
	text   string
	long   bool // its end is cut off
}

// lines yields the lines of the file as UTF-8.
func (f *File) lines() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		file, err := os.Open(f.path)
		if err != nil {
			yield(line{}, fault.Wrap(fault.NotFound, "billfile.lines", err))
			return
		}
		defer file.Close()
		var r io.Reader = file
		if f.code != nil {
			r = f.code.NewDecoder().Reader(file)
		}
		b := bufio.NewReaderSize(r, rowBytesMax)
		for n := 1; ; n++ {
			l, err := readLine(b, n)
			if n == 1 {
				l.text = strings.TrimPrefix(l.text, "\ufeff")
			}
			if errors.Is(err, io.EOF) && l.text == "" {
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(line{}, fault.Wrap(fault.Unavailable, "billfile.lines", err))
				return
			}
			if !yield(l, nil) || err != nil {
				return
			}
		}
	}
}

// readLine reads a line; of one that is too long, the end is thrown away.
func readLine(b *bufio.Reader, n int) (line, error) {
	l := line{number: n}
	text, err := b.ReadSlice('\n')
	l.text = strings.TrimRight(string(text), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		l.long = true
		_, err = b.ReadSlice('\n')
	}
	return l, err
}

// skipped reports whether a line is not of the table.
func (f *File) skipped(text string) bool {
	return strings.TrimSpace(text) == "" || begins(text, f.format.Skip)
}

// begins reports whether a line has one of the beginnings.
func begins(text string, with []string) bool {
	text = clean(text)
	return slices.ContainsFunc(with, func(s string) bool { return strings.HasPrefix(text, s) })
}

// comma finds out what stands between the cells.
func comma(head string) rune {
	best := ','
	for _, c := range ";\t" {
		if strings.Count(head, string(c)) > strings.Count(head, string(best)) {
			best = c
		}
	}
	return best
}

// column returns where the first of the names is in the header, or -1.
func (f *File) column(names []string) int {
	for _, n := range names {
		if i := slices.IndexFunc(f.head, func(h string) bool { return strings.EqualFold(h, n) }); i >= 0 {
			return i
		}
	}
	return -1
}

// Rows returns the file's rows.
func (f *File) Rows() reconcile.Rows {
	return func() iter.Seq2[reconcile.Row, error] {
		return func(yield func(reconcile.Row, error) bool) {
			p, begun := f.parser(), false
			for l, err := range f.records() {
				switch {
				case err != nil:
					yield(reconcile.Row{}, err)
					return
				case begun && begins(l.text, f.format.End):
					return
				case f.skipped(l.text):
				case !begun:
					begun = true // the header
				default:
					if r, ok := p.row(l); ok && !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

// String names the file.
func (f *File) String() string { return fmt.Sprint(f.path) }
