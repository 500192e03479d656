package logtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lineMax bounds what is read as one line: a stack is one.
const lineMax = 8 << 20

// A Leak is a line with something in it that no line may hold.
type Leak struct {
	Where string // package/kind
	What  string // why it must not be there
	Line  string
}

// String shows the line.
func (l Leak) String() string { return fmt.Sprintf("%s: %s: %s", l.Where, l.What, l.Line) }

// A Report is what was found in a collection.
type Report struct {
	Lines   map[string]int // by package/kind
	Secrets int            // that were looked for
	Leaks   []Leak
}

// Missing returns which of the kinds have no line. A kind that ends in a slash is a
// whole package.
func (r Report) Missing(kinds []string) (out []string) {
	for _, want := range kinds {
		n := 0
		for where, lines := range r.Lines {
			if where == want || strings.HasSuffix(want, "/") && strings.HasPrefix(where, want) {
				n += lines
			}
		}
		if n == 0 {
			out = append(out, want)
		}
	}
	return out
}

// Read reads everything that was collected under a folder.
func Read(folder string) (Report, error) {
	r := Report{Lines: map[string]int{}}
	var logs []string
	all := newFinder()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == secretsFile:
			return readLines(path, func(line []byte) {
				if v, err := strconv.Unquote(string(line)); err == nil {
					all.add(v)
				}
			})
		case strings.HasSuffix(path, ".log"):
			logs = append(logs, path)
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	r.Secrets = all.count
	for _, path := range logs {
		where := filepath.Base(filepath.Dir(path)) + "/" + strings.TrimSuffix(filepath.Base(path), ".log")
		err := readLines(path, func(line []byte) {
			r.Lines[where]++
			if what := all.find(line); what != "" {
				r.Leaks = append(r.Leaks, Leak{where, what, string(line)})
			}
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// readLines calls do for each line of a file.
func readLines(path string, do func(line []byte)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 0, 64<<10), lineMax)
	for s.Scan() {
		do(s.Bytes())
	}
	return s.Err()
}

// A Shape is how something looks that no line may hold, whatever its value.
type Shape struct {
	What string
	hint []string // one of which is in each such line, so that few are looked at closely; none: every line is
	form *regexp.Regexp
	not  func(match string) bool // what looks alike and is none; optional
}

// Shapes are all of them.
func Shapes() []Shape {
	shape := func(what, form string, hint ...string) Shape {
		return Shape{What: what, form: regexp.MustCompile(form), hint: hint}
	}
	word := `[^\s"'&,;\\)}\]]`
	mail := shape("an e-mail address", `[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`, "@")
	mail.not = func(m string) bool { return strings.Contains(m, "*") || strings.HasSuffix(m, ".go") || module(m) }
	password := shape("a password", `(?i)(password|passwd|pwd|app_secret|client_secret|secret_token|private_key|api_?key|seal_key|aes_?key)["']?\s*[=:]\s*["'\\]*`+word+`{4,}`,
		"assword", "passwd", "pwd", "secret", "_key", "apikey", "apiKey", "aeskey", "AESKey")
	password.not = func(m string) bool { return strings.Contains(m, "(secret") || strings.Contains(m, "is missing") }
	openid := shape("an openid of WeChat", `\bo[A-Za-z0-9_-]{27}\b`, "o")
	openid.not = func(m string) bool { return !strings.ContainsAny(m, "0123456789") || strings.ToLower(m) == m }
	address := shape("a password in an address", `[a-z][a-z0-9+.-]*://[^\s/:@"]*:[^\s/:@"]+@`, "://")
	address.not = func(m string) bool { return strings.HasSuffix(m, ":PASSWORD@") || strings.HasSuffix(m, ":xxxxx@") } // usage; url.URL.Redacted
	return []Shape{
		shape("a private key", `-----BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)`, "-----BEGIN"),
		shape("a bot's token", `(^|[^0-9])[0-9]{5,12}:A[A-Za-z0-9_-]{30,}`, ":A"),
		shape("an access token", `(?i)(access_?token|refresh_?token|session_?key|component_ticket|corpsecret|appsecret|[?&]secret|[?&]key|[?&]sign)=`+word+`{4,}`,
			"oken=", "TOKEN=", "ession", "ticket=", "secret=", "key=", "sign="),
		shape("credentials of a request", `(?i)\b(bearer|basic) [A-Za-z0-9+/_.=-]{8,}`, "earer ", "EARER ", "asic ", "ASIC "),
		shape("a JWT", `\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}`, "eyJ"),
		shape("an API key", `\bfk_[0-9a-z]+_[A-Za-z0-9]{20,}`, "fk_"),
		shape("a webhook's secret", `\bwhsec_[A-Za-z0-9+/=]{8,}`, "whsec_"),
		address,
		shape("a password of a database", `\b[\w-]+:[^\s:@"/]+@(tcp|unix)\(`, "@tcp(", "@unix("),
		password,
		openid,
		shape("an id of a customer of WeCom", `\bw[mo][A-Za-z0-9_-]{30}\b`, "wm", "wo"),
		shape("a mobile number", `(^|[^0-9A-Za-z.+_-])(\+?86[ -]?)?1[3-9][0-9]{9}($|[^0-9A-Za-z_.-])`),
		shape("an identity card", `(^|[^0-9A-Za-z])[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]($|[^0-9A-Za-z])`),
		shape("a 口令", `[￥¥₴€₤$(][A-Za-z0-9]{11}[￥¥₴€₤$)]`, "￥", "¥", "₴", "€", "₤"),
		mail,
	}
}

// module reports whether what looks like an address is a version of a module or a place
// in a stack.
func module(s string) bool {
	_, host, _ := strings.Cut(s, "@")
	return len(host) > 1 && host[0] == 'v' && host[1] >= '0' && host[1] <= '9'
}

// may reports whether a line is worth a closer look.
func (s Shape) may(line []byte) bool {
	return len(s.hint) == 0 || slices.ContainsFunc(s.hint, func(h string) bool { return bytes.Contains(line, []byte(h)) })
}

// in reports whether the line holds such a thing.
func (s Shape) in(line []byte) bool {
	if !s.may(line) {
		return false
	}
	if s.not == nil {
		return s.form.Match(line)
	}
	return slices.ContainsFunc(s.form.FindAll(line, -1), func(m []byte) bool { return !s.not(string(m)) })
}

// A finder finds what must not be there.
type finder struct {
	secrets map[[secretMin]byte][]string // by how they begin
	people  []string
	shapes  []Shape
	digits  *regexp.Regexp
	count   int
}

func newFinder() *finder {
	return &finder{secrets: map[[secretMin]byte][]string{}, people: People(), shapes: Shapes(), digits: regexp.MustCompile(`[0-9]{11}`)}
}

// Find says what is in a line that no line may hold, whoever logs it; "" for nothing. With
// it the test of a fake shows that whom it makes up would be found.
func Find(line string) string { return newFinder().find([]byte(line)) }

// add adds a secret, in every way in which it is written.
func (f *finder) add(v string) {
	if len(v) < secretMin {
		return
	}
	f.count++
	for _, s := range []string{v, url.QueryEscape(v), url.PathEscape(v)} {
		start := [secretMin]byte([]byte(s))
		if !slices.Contains(f.secrets[start], s) {
			f.secrets[start] = append(f.secrets[start], s)
		}
	}
}

// find says what is in a line that must not be; "" for nothing.
func (f *finder) find(line []byte) string {
	for i := 0; i+secretMin <= len(line); i++ {
		for _, s := range f.secrets[[secretMin]byte(line[i:])] {
			if bytes.HasPrefix(line[i:], []byte(s)) {
				return "a secret of a test"
			}
		}
	}
	for _, p := range f.people {
		if bytes.Contains(line, []byte(p)) {
			return "somebody's name or account"
		}
	}
	for _, s := range f.shapes {
		if len(s.hint) == 0 && !f.digits.Match(line) {
			continue
		}
		if s.in(line) {
			return s.What
		}
	}
	return ""
}
