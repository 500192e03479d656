// Package grouprobotfake stands for WeCom's webhook of group robots, over HTTP.
package grouprobotfake

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// path is where robots are spoken by.
const path = "/cgi-bin/webhook/send"

// A Heard is one message that was taken.
type Heard struct {
	Type    string
	Content string
	Image   []byte
}

// A Fake knows one robot. Its fields are set before it serves.
type Fake struct {
	Key string

	mu    sync.Mutex
	heard []Heard
	fail  int
}

// Heard returns what was said, oldest first.
func (f *Fake) Heard() []Heard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Heard(nil), f.heard...)
}

// SetKey changes the robot's key while it serves.
func (f *Fake) SetKey(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Key = key
}

// Fail makes the next message fail with a code.
func (f *Fake) Fail(code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = code
}

// ServeHTTP answers as WeCom does: with status 200, whatever happens.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	code, text := f.take(r)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = fmt.Fprintf(w, `{"errcode":%d,"errmsg":%q}`, code, text)
}

func (f *Fake) take(r *http.Request) (code int, text string) {
	var m struct {
		Type     string `json:"msgtype"`
		Text     struct{ Content string }
		Markdown struct{ Content string }
		Image    struct{ Base64, MD5 string }
	}
	switch {
	case r.URL.Path != path || r.Method != http.MethodPost:
		return 43002, "require POST method"
	case r.URL.Query().Get("key") != f.Key:
		return 93000, "invalid webhook url"
	case f.fail != 0:
		code, f.fail = f.fail, 0
		return code, "as told"
	case json.NewDecoder(r.Body).Decode(&m) != nil:
		return 47001, "data format error"
	}
	h := Heard{Type: m.Type, Content: m.Text.Content + m.Markdown.Content}
	switch m.Type {
	case "text":
		if len(h.Content) > 2048 {
			return 40058, "content exceed max length"
		}
	case "markdown":
		if len(h.Content) > 4096 {
			return 40058, "content exceed max length"
		}
	case "image":
		b, err := base64.StdEncoding.DecodeString(m.Image.Base64)
		sum := md5.Sum(b)
		if err != nil || hex.EncodeToString(sum[:]) != m.Image.MD5 || len(b) > 2<<20 {
			return 301019, "media MD5 not match"
		}
		h.Image = b
	default:
		return 40008, "invalid message type"
	}
	f.heard = append(f.heard, h)
	return 0, "ok"
}
