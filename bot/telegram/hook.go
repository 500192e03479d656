package telegram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// How the webhook is kept.
const (
	hookLook    = 5 * time.Minute // between two looks at what Telegram says of it
	hookMax     = 40              // deliveries at the same time
	hookBytes   = 256 << 10       // of an update: the longest text with its marks is far below
	hookTime    = 5 * time.Second // for keeping an update
	hookAgain   = 5               // seconds after which Telegram should try again
	hookPending = 1000            // updates that wait with Telegram, which is worth a line in the log
)

// The outcomes of deliveries, beside the receipts of package mail. Only the first four
// can be an attack; whoever makes them gets no further.
const (
	outMethod    = "method"    // no POST
	outForged    = "forged"    // without the secret
	outOversized = "oversized" // more than hookBytes
	outMalformed = "malformed" // no update
	outAway      = "away"      // it could not be kept: it has to come again
)

// WithCount counts what became of the deliveries to the webhook: fresh, known, full,
// ignored, odd, method, forged, oversized, malformed or away.
func WithCount(count func(what string)) Option {
	return func(c *Channel) { c.count = count }
}

// ServeHTTP takes what Telegram delivers to the webhook. It answers 200 only when the
// update is kept; with 503 it comes again.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, status := c.accept(w, r)
	c.count(what)
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(hookAgain))
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(status)
}

// accept takes a delivery and says what became of it.
func (c *Channel) accept(w http.ResponseWriter, r *http.Request) (what string, status int) {
	if r.Method != http.MethodPost {
		return outMethod, http.StatusMethodNotAllowed
	}
	if c.cfg.Mode != Webhook || !same(r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), c.cfg.hookSecret()) {
		return outForged, http.StatusUnauthorized
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, hookBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return outOversized, http.StatusRequestEntityTooLarge
	case err != nil || !wellFormed(body):
		return outMalformed, http.StatusBadRequest
	}
	reads := c.hearing.Load()
	if reads == nil { // we do not know our own name yet, or stop
		return outAway, http.StatusServiceUnavailable
	}
	ctx, cancel := context.WithTimeout(r.Context(), hookTime)
	defer cancel()
	what, err = c.receive(ctx, *reads, body)
	if err != nil {
		c.log.Warn("an update could not be kept; Telegram will deliver it again", "error", err)
		return outAway, http.StatusServiceUnavailable
	}
	return what, http.StatusOK
}

// same compares two secrets in a time that tells nothing of either.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// wellFormed reports whether a body is one update: an object with a number, and nothing
// behind it.
func wellFormed(body []byte) bool {
	var u struct {
		ID int64 `json:"update_id"`
	}
	body = bytes.TrimSpace(body)
	return len(body) > 0 && body[0] == '{' && utf8.Valid(body) && json.Unmarshal(body, &u) == nil && u.ID > 0
}

// hookInfo is what Telegram says of the webhook.
type hookInfo struct {
	URL       string   `json:"url"`
	Pending   int      `json:"pending_update_count"`
	ErrorAt   int64    `json:"last_error_date"`
	Error     string   `json:"last_error_message"`
	Max       int      `json:"max_connections"`
	Allowed   []string `json:"allowed_updates"`
	OutOfSync int64    `json:"last_synchronization_error_date"`
}

// keepHook sets the webhook and sees that it stays set until ctx ends or the token is
// refused. The secret cannot be seen, so it is set anew at every start.
func (c *Channel) keepHook(ctx context.Context) error {
	err := c.persist(ctx, "the webhook cannot be set", func() error { return c.setHook(ctx) })
	seen := c.now().Unix() - 1 // failures from before do not matter any more
	for err == nil && sleep(ctx, hookLook) {
		var info hookInfo
		switch err = c.call(ctx, "getWebhookInfo", nil, &info); {
		case fault.Is(err, fault.Denied):
		case err != nil:
			c.log.Warn("it cannot be seen how the webhook is", "error", err)
			err = nil
		case !c.hookRight(info):
			c.log.Warn("somebody has changed the webhook; setting it again")
			err = c.persist(ctx, "the webhook cannot be set", func() error { return c.setHook(ctx) })
		default:
			seen = c.judge(info, seen)
			c.noteHook(ctx, info)
		}
	}
	return err
}

// hookRight reports whether the webhook is as it should be.
func (c *Channel) hookRight(info hookInfo) bool {
	var kinds []string
	if json.Unmarshal([]byte(wanted), &kinds) != nil {
		return false
	}
	slices.Sort(kinds)
	slices.Sort(info.Allowed)
	return info.URL == c.cfg.WebhookURL && (info.Max == 0 || info.Max == hookMax) && slices.Equal(kinds, info.Allowed)
}

// judge says what is wrong with the deliveries and returns until when that was looked at.
func (c *Channel) judge(info hookInfo, seen int64) int64 {
	if info.ErrorAt > seen {
		c.log.Error("Telegram cannot deliver to the webhook", "said", c.redact(info.Error), "waiting", info.Pending)
		c.count("undelivered")
		seen = info.ErrorAt
	} else if info.Pending > hookPending {
		c.log.Warn("many updates wait for the webhook", "waiting", info.Pending)
	}
	return seen
}

func (c *Channel) setHook(ctx context.Context) error {
	return c.call(ctx, "setWebhook", tgbotapi.Params{
		"url": c.cfg.WebhookURL, "secret_token": c.cfg.hookSecret(), "max_connections": strconv.Itoa(hookMax), "allowed_updates": wanted,
	}, nil)
}

// dropHook deletes the webhook, if there is one: it forbids polling. What waits is kept.
func (c *Channel) dropHook(ctx context.Context) error {
	var info hookInfo
	if err := c.call(ctx, "getWebhookInfo", nil, &info); err != nil || info.URL == "" {
		return err
	}
	c.log.Warn("there was a webhook; updates are polled now")
	return c.call(ctx, "deleteWebhook", nil, nil)
}
