package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	rest "fanli/adapters/gateway"
	"fanli/configs"
	"fanli/core/access"
	"fanli/core/link"
	"fanli/core/market"
)

// The stories of the API are exchanges that are written down in testdata/api. They are
// played over the services of one process, and over clients of them, and every answer
// is held against the OpenAPI document. Lines that begin with # are remarks, with @
// headers that stay ("@ X-Fanli-User: u-1", and without a value none), with ! what
// happens outside ("! buy", "! advance 24h"), with > requests and with < statuses.
// -update writes the answers anew.

// apiWorld is the API over a little world.
type apiWorld struct {
	*little
	handler http.Handler
	doc     openDocument
	headers map[string]string
	count   int
	last    string // body of the newest answer
	url     string // of the newest link
	line    string // the newest order line
	network string
	asked   map[string]bool // "GET /orders"
}

func newAPIWorld(t *testing.T, reach func(t *testing.T, a *app) asks) *apiWorld {
	t.Helper()
	w := newLittle(t)
	w.tune = func(c *configs.Config) {
		c.API.Limits = configs.APILimits{} // these stories are told in no time
		c.Withdraw.Minimum = 100
	}
	w.mustOpen()
	k := reach(t, w.app)
	o := w.app.apiOptions()
	o.Users, o.Links, o.Orders, o.Rebates, o.Wallets, o.Payouts, o.Switches = k.users, k.links, k.orders, k.rebates, k.wallets, k.payouts, k.switches
	return &apiWorld{
		little: w, handler: rest.NewEdge(rest.EdgeOptions{Log: w.app.log}).Wrap(rest.New(o)), doc: readDocument(t), headers: map[string]string{}, asked: map[string]bool{},
	}
}

// An openDocument is what of the API's answers are held against.
type openDocument struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
	}
	Components struct{ Schemas map[string]*jsonschema.Schema }
}

func readDocument(t *testing.T) (d openDocument) {
	t.Helper()
	text, err := rest.Document()
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wrong says what of an answer is not as the document has it.
func (d openDocument) wrong(method, path string, out *httptest.ResponseRecorder) error {
	op, ok := d.Paths[path][strings.ToLower(method)]
	kind, name := out.Header().Get("Content-Type"), "Problem"
	switch said, known := op.Responses[fmt.Sprint(out.Code)]; {
	case !ok && out.Code != http.StatusNotFound:
		return fmt.Errorf("there is no %s %s", method, path)
	case out.Code >= http.StatusBadRequest && kind != "application/problem+json":
		return fmt.Errorf("a problem is %q", kind)
	case out.Code < http.StatusBadRequest && !known:
		return fmt.Errorf("it does not know status %d", out.Code)
	case out.Code < http.StatusBadRequest:
		name = strings.TrimPrefix(said.Content[kind].Schema.Ref, "#/components/schemas/")
	}
	if d.Components.Schemas[name] == nil {
		return fmt.Errorf("it does not know %s of %s", name, kind)
	}
	schema, err := d.Components.Schemas[name].Resolve(nil)
	if err != nil {
		return err
	}
	var body any
	if err := json.Unmarshal(out.Body.Bytes(), &body); err != nil {
		return err
	}
	return schema.Validate(body)
}

// key makes one and uses it from now on.
func (w *apiWorld) key(client string, scopes ...access.Scope) {
	w.t.Helper()
	_, text, err := w.app.keys.Make(w.t.Context(), access.Key{Client: client, Scopes: scopes}, access.Order{By: "test", Reason: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.headers["Authorization"] = "Bearer " + text
}

// ask makes a request and holds the answer against the document.
func (w *apiWorld) ask(method, path, body string) (status int, answer string) {
	w.t.Helper()
	w.count++
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, rest.Path+path, in)
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", fmt.Sprintf("story-%03d", w.count))
	for name, value := range w.headers {
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	w.last = out.Body.String()
	name, _, _ := strings.Cut(path, "?")
	name = "/" + regexp.MustCompile(`/\d+`).ReplaceAllString(name, "/{id}")
	if err := w.doc.wrong(method, name, out); err != nil {
		w.t.Errorf("%s %s: the answer is not what the document says: %v\n%s", method, path, err, w.last)
	}
	w.asked[method+" "+name] = true
	if m := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(w.last); m != nil {
		w.url = m[1]
	}
	return out.Code, w.last
}

// happen makes something happen outside.
func (w *apiWorld) happen(t *testing.T, what string) {
	t.Helper()
	verb, rest, _ := strings.Cut(what, " ")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("! %s: %v", what, err)
		}
	}
	switch verb {
	case "key":
		client, scopes, _ := strings.Cut(rest, " ")
		var all []access.Scope
		for s := range strings.FieldsSeq(scopes) {
			all = append(all, access.Scope(s))
		}
		if len(all) == 0 {
			all = access.Scopes()
		}
		w.key(client, all...)
	case "buy":
		w.network = link.JD
		if strings.Contains(w.url, "pdd") {
			w.network = link.PDD
		}
		click, ok := w.nets[w.network].Click(link.Made{URL: w.url})
		if !ok {
			t.Fatalf("nothing behind %q", w.url)
		}
		var l market.Line
		l, err := w.markets[w.network].Buy(click, 1, func(n int64) (string, string) { return fmt.Sprintf("26%010d", n), fmt.Sprintf("%s-%d", w.network, n) })
		must(err)
		w.line = l.ID
		must(w.markets[w.network].Pay(w.line))
	case "receive":
		must(w.markets[w.network].Receive(w.line))
	case "settle":
		must(w.markets[w.network].Settle(w.line))
	case "refund":
		must(w.markets[w.network].Refund(w.line, 4_500))
	case "advance":
		d, err := time.ParseDuration(rest)
		must(err)
		w.advance(d)
	default:
		t.Fatalf("what is %q", what)
	}
	w.advance(time.Minute) // feeds tell what was before now
	must(w.settle())
}

// shown is an answer as the stories have it.
func shown(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(strings.TrimSpace(body)), "", "  ") != nil {
		return body
	}
	return regexp.MustCompile(`https://(jd|pdd)\.test/[0-9a-f]+`).ReplaceAllString(b.String(), "https://$1.test/LINK") + "\n"
}

// play plays a story and returns it with the answers that came.
func (w *apiWorld) play(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		mark, rest, _ := strings.Cut(lines[i], " ")
		switch mark {
		case "#", "@", "!":
			_, _ = fmt.Fprintln(&out, lines[i])
		}
		switch mark {
		case "@":
			name, value, _ := strings.Cut(rest, ":")
			if value = strings.TrimSpace(value); value == "" {
				delete(w.headers, name)
			} else {
				w.headers[name] = value
			}
		case "!":
			w.happen(t, rest)
		case ">":
			_, _ = fmt.Fprintln(&out, lines[i])
			method, path, _ := strings.Cut(rest, " ")
			body := ""
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "> ") && strings.HasPrefix(lines[i+1][2:], "{") {
				i++
				body = lines[i][2:]
				_, _ = fmt.Fprintln(&out, lines[i])
			}
			path = strings.ReplaceAll(path, "NEXT", w.next())
			status, answer := w.ask(method, path, body)
			_, _ = fmt.Fprintf(&out, "< %d\n%s", status, shown(answer))
		}
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// next is the cursor in the newest answer.
func (w *apiWorld) next() string {
	var page struct{ Next string }
	_ = json.Unmarshal([]byte(w.last), &page) // there is none
	return page.Next
}

func TestAPIStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/api/*.story")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		for name, reach := range map[string]func(*testing.T, *app) asks{
			"here": func(_ *testing.T, a *app) asks { return a.ask }, "elsewhere": overWire,
		} {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".story")+"/"+name, func(t *testing.T) {
				t.Parallel()
				want, err := os.ReadFile(filepath.Clean(file))
				if err != nil {
					t.Fatal(err)
				}
				w := newAPIWorld(t, reach)
				got := w.play(t, string(want))
				if *update && name == "here" {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if got != string(want) && !*update {
					t.Errorf("%s is not what comes (run this test with -update and look at the difference):\n%s", file, firstDifference(got, string(want)))
				}
				if strings.HasPrefix(filepath.Base(file), "shopping") {
					w.wantAllAsked()
				}
				w.wantSound()
			})
		}
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			from := max(0, i-12)
			return fmt.Sprintf("line %d\n%s\n--- want\n%s", i+1, strings.Join(a[from:i+1], "\n"), b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// wantAllAsked: the long story has every endpoint.
func (w *apiWorld) wantAllAsked() {
	w.t.Helper()
	for path, methods := range w.doc.Paths {
		for method := range methods {
			if name := strings.ToUpper(method) + " " + path; !w.asked[name] && path != "/openapi.json" {
				w.t.Errorf("nobody asks %s", name)
			}
		}
	}
}
