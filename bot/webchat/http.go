package webchat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanli/core/fault"
)

// Limits of one message.
const (
	bodyBytesMax   = 64 << 10 // a text at its limit, every character escaped
	textRunesMax   = 4000     // the longest share texts have some 500
	labelRunesMax  = 64
	sessionFor     = 400 * 24 * time.Hour // as long as browsers keep a cookie
	retryAfterText = "3"                  // seconds
)

// policy lets the page load what is ours and pictures, and nothing else; even
// our own script cannot write markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// routes builds the handler; paths are relative to where it is mounted.
func (c *Chat) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.servePage)
	mux.HandleFunc("GET /assets/{version}/{name}", c.page.serveAsset)
	mux.HandleFunc("GET /api/events", c.serveEvents)
	mux.HandleFunc("POST /api/messages", c.servePost)
	return mux
}

// ServeHTTP serves the page, its assets and its two endpoints. Mount it at "/",
// or under a prefix that is taken off.
func (c *Chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

// cookieName is the session's cookie. Behind https a prefix keeps other hosts
// and plain connections from setting it.
func (c *Chat) cookieName() string {
	if c.opts.Secure {
		return "__Host-fanli_session"
	}
	return "fanli_session"
}

var sessionForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// session returns the chat of a request's cookie.
func (c *Chat) session(r *http.Request) (chat string, ok bool) {
	cookie, err := r.Cookie(c.cookieName())
	if err != nil || !sessionForm.MatchString(cookie.Value) {
		return "", false
	}
	return chatOf(cookie.Value), true
}

// chatOf is how the rest of fanli knows the person behind a session. It cannot
// be turned back into a cookie.
func chatOf(session string) string {
	sum := sha256.Sum256([]byte("fanli web chat\n" + session))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

// servePage sends the page, with a session for whoever has none.
func (c *Chat) servePage(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(c.cookieName())
	value := ""
	if err == nil && sessionForm.MatchString(cookie.Value) {
		value = cookie.Value
	} else {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		value = hex.EncodeToString(b[:])
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure is as configured: the sandbox has no https
		Name: c.cookieName(), Value: value, Path: "/", MaxAge: int(sessionFor / time.Second),
		HttpOnly: true, Secure: c.opts.Secure, SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(c.page.html)
}

// servePost takes one message. It answers as soon as the message is kept; what
// the bot says to it comes through the stream.
func (c *Chat) servePost(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		c.refuse(w, "cross_site", err)
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		c.refuse(w, "media", err)
		return
	}
	chat, ok := c.session(r)
	if !ok {
		c.refuse(w, "session", nil)
		return
	}
	e, code, err := readMessage(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if code != "" {
		c.refuse(w, code, err)
		return
	}
	fresh, err := c.post(r.Context(), chat, e)
	switch {
	case fault.Is(err, fault.Limited):
		c.refuse(w, "limited", err)
	case err != nil:
		c.refuse(w, "down", err)
	default:
		writeJSON(w, http.StatusAccepted, map[string]bool{"fresh": fresh})
	}
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,36}$`)

// readMessage reads a message, or returns the code of what is wrong with it.
func readMessage(body io.Reader) (e entry, code string, err error) {
	fields, err := flat(json.NewDecoder(body))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return e, "too_long", err
	case err != nil:
		return e, "unreadable", err
	}
	e = entry{ID: fields["id"], Text: clean(fields["text"]), Lang: fields["lang"]}
	if label := clean(fields["label"]); label != "" {
		e.Action, e.Text = e.Text, label
		if e.Action == "" || utf8.RuneCountInString(label) > labelRunesMax {
			return e, "unreadable", nil
		}
	}
	switch {
	case !idForm.MatchString(e.ID) || e.Lang != "" && e.Lang != "zh" && e.Lang != "en":
		return e, "unreadable", nil
	case e.Text == "":
		return e, "empty", nil
	case utf8.RuneCountInString(e.Text)+utf8.RuneCountInString(e.Action) > textRunesMax:
		return e, "too_long", nil
	}
	return e, "", nil
}

// flat reads a JSON object of texts: known names, each once, nothing nested,
// nothing behind it.
func flat(d *json.Decoder) (map[string]string, error) {
	odd := errors.New("not an object of id, text, label and lang")
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(odd, err)
	}
	fields := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.Join(odd, err)
		}
		value, err := d.Token()
		if err != nil {
			return nil, errors.Join(odd, err)
		}
		k, _ := name.(string)
		v, ok := value.(string)
		_, twice := fields[k]
		if known := k == "id" || k == "text" || k == "label" || k == "lang"; !known || !ok || twice {
			return nil, odd
		}
		fields[k] = v
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errors.Join(odd, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.Join(odd, err)
	}
	return fields, nil
}

// clean takes out of a text what no keyboard makes.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s))
}

// problem is what a page is told when a request did not work.
type problem struct {
	Code  string `json:"code"`
	Zh    string `json:"zh"`
	En    string `json:"en"`
	Trace string `json:"trace"`
}

// problems are all of them, with their status.
var problems = map[string]struct {
	status int
	zh, en string
}{
	"cross_site": {http.StatusForbidden, "这个请求不是从本页面发出的，已被拦下。请在聊天页面里操作。", "This request did not come from this page and was stopped. Please use the chat page itself."},
	"media":      {http.StatusUnsupportedMediaType, "消息的格式不对，请刷新页面后再试。", "The message has the wrong format. Please reload the page and try again."},
	"session":    {http.StatusUnauthorized, "会话已经失效，请刷新页面后再发一次。", "Your session has ended. Please reload the page and send it again."},
	"unreadable": {http.StatusBadRequest, "没有看懂这条消息的格式，请刷新页面后再试。", "The message could not be read. Please reload the page and try again."},
	"empty":      {http.StatusBadRequest, "消息是空的，写点什么再发吧。", "The message is empty. Write something first."},
	"too_long":   {http.StatusRequestEntityTooLarge, "消息太长了，请分成几段，或者只发商品链接。", "The message is too long. Please split it, or send the product link only."},
	"limited":    {http.StatusTooManyRequests, "发得有点快，稍等几秒会自动再发。", "That was a little fast. It will be sent again in a few seconds."},
	"down":       {http.StatusServiceUnavailable, "服务暂时没有响应，消息已经留着，恢复后自动发出。", "The service is not responding right now. Your message is kept and will be sent when it is back."},
}

// refuse answers with one friendly line; what really happened goes to the log
// under the same trace id.
func (c *Chat) refuse(w http.ResponseWriter, code string, cause error) {
	p := problems[code]
	trace := strings.ToLower(rand.Text()[:8])
	level := c.opts.Logger.Info
	if p.status >= http.StatusInternalServerError {
		level = c.opts.Logger.Error
	}
	level("web chat refused a request", "code", code, "trace", trace, "error", cause)
	if p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfterText)
	}
	writeJSON(w, p.status, map[string]problem{"error": {code, p.zh, p.en, trace}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
