package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What follows up to the end mark is the receiver in docs/webhooks.md, to the letter.
// begin

// A Receiver takes what fanli posts. Handle must be quick, or put the message aside.
type Receiver struct {
	Secret string // whsec_…
	Now    func() time.Time
	Handle func(body []byte) error

	mu   sync.Mutex
	seen map[string]time.Time // ids; keep them in your database instead, with what they did
}

const tolerance = 5 * time.Minute

func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, 8<<20))
	if err != nil {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	id := q.Header.Get("webhook-id")
	if !r.genuine(id, q.Header.Get("webhook-timestamp"), q.Header.Get("webhook-signature"), body) {
		http.Error(w, "not genuine", http.StatusUnauthorized)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.seen[id]; known {
		return // 200: we have it
	}
	if err := r.Handle(body); err != nil {
		http.Error(w, "later", http.StatusServiceUnavailable) // it comes again
		return
	}
	if r.seen == nil {
		r.seen = map[string]time.Time{}
	}
	r.seen[id] = r.Now()
}

// genuine reports whether a message is signed with the secret, and now.
func (r *Receiver) genuine(id, timestamp, signatures string, body []byte) bool {
	second, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || r.Now().Sub(time.Unix(second, 0)).Abs() > tolerance {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Secret, "whsec_"))
	if err != nil {
		return false
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + timestamp + "."))
	m.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	for _, s := range strings.Fields(signatures) { // two while a secret is changed
		if hmac.Equal([]byte(s), []byte(want)) {
			return true
		}
	}
	return false
}

// end

// TestTheDocumentHasThisReceiver: what the tests receive with is what integrators
// are shown.
func TestTheDocumentHasThisReceiver(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("receiver_test.go")
	must(t, err)
	_, code, _ := strings.Cut(string(source), "// begin\n")
	code, _, _ = strings.Cut(code, "// end\n")
	doc, err := os.ReadFile("../../docs/webhooks.md")
	must(t, err)
	if !strings.Contains(string(doc), "```go\n"+strings.TrimSpace(code)+"\n```") {
		t.Error("docs/webhooks.md has another receiver than receiver_test.go")
	}
}
