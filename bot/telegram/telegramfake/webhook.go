package telegramfake

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The limits of a webhook.
const (
	hookMaxDefault = 40  // deliveries at the same time
	hookMaxMost    = 100 // that may be asked for
	hookSecretMax  = 256
	hookSetEvery   = time.Second // more often is too often
)

// hookPorts are those that the cloud server delivers to.
var hookPorts = []string{"", "443", "80", "88", "8443"}

// hookSecretForm is what a secret token may look like.
var hookSecretForm = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

// A hook is where updates are delivered.
type hook struct {
	url    string
	secret string
	max    int
	ip     string

	life context.Context // ends when it is set anew or deleted
	end  context.CancelFunc
	room chan struct{}  // holds one for each delivery under way
	busy map[int64]bool // queues that somebody delivers

	failed    string // why the last delivery that failed did; "" for none
	failedAt  time.Time
	goneSince time.Time // since when the other side says 410 and nothing else
}

// described is a result that comes with a description.
type described struct {
	result any
	text   string
}

func (s *Server) setWebhook(p Params) (any, *failure) {
	now := s.cfg.Now()
	if !s.hookSet.IsZero() && now.Sub(s.hookSet) < hookSetEvery {
		return nil, tooMany(hookSetEvery)
	}
	if p["url"] == "" {
		return s.deleteWebhook(p)
	}
	h, f := s.newHook(p)
	if f != nil {
		return nil, f
	}
	s.hookSet = now
	var kinds []string
	if p.decode("allowed_updates", &kinds) {
		s.allowed = kinds
	}
	if p.flag("drop_pending_updates") {
		s.queue = nil
	}
	if old := s.hook; old != nil && old.url == h.url && old.secret == h.secret && old.max == h.max && old.ip == h.ip {
		return described{true, "Webhook is already set"}, nil
	}
	s.unhook()
	h.life, h.end = context.WithCancel(s.life)
	s.hook = h
	s.unpark(conflict("terminated by setWebhook request"))
	s.pump()
	return described{true, "Webhook was set"}, nil
}

// newHook reads what setWebhook is called with.
func (s *Server) newHook(p Params) (*hook, *failure) {
	u, err := url.Parse(p["url"])
	secret, most := p["secret_token"], int(p.number("max_connections"))
	switch {
	case err != nil || u.Hostname() == "":
		return nil, refuse("bad webhook: invalid webhook URL specified")
	case u.Scheme != "https" && (!s.cfg.Local || u.Scheme != "http"):
		return nil, refuse("bad webhook: An HTTPS URL must be provided for webhook")
	case !s.cfg.Local && !slices.Contains(hookPorts, u.Port()):
		return nil, refuse("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	case len(secret) > hookSecretMax:
		return nil, refuse("secret token is too long")
	case !hookSecretForm.MatchString(secret):
		return nil, refuse("secret token contains unallowed characters")
	}
	if most = cmp.Or(max(most, 0), hookMaxDefault); most > hookMaxMost {
		most = hookMaxMost
	}
	return &hook{url: p["url"], secret: secret, max: most, ip: p["ip_address"], room: make(chan struct{}, most), busy: map[int64]bool{}}, nil
}

func (s *Server) deleteWebhook(p Params) (any, *failure) {
	if p.flag("drop_pending_updates") {
		s.queue = nil
	}
	if s.hook == nil {
		return described{true, "Webhook is already deleted"}, nil
	}
	s.unhook()
	return described{true, "Webhook was deleted"}, nil
}

// unhook ends the deliveries.
func (s *Server) unhook() {
	if s.hook != nil {
		s.hook.end()
		s.hook = nil
	}
}

func (s *Server) webhookInfo(Params) (any, *failure) {
	s.age()
	info := map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": len(s.queue)}
	if len(s.allowed) > 0 {
		info["allowed_updates"] = s.allowed
	}
	h := s.hook
	if h == nil {
		return info, nil
	}
	info["url"], info["max_connections"] = h.url, h.max
	if h.ip != "" {
		info["ip_address"] = h.ip
	}
	if h.failed != "" {
		info["last_error_date"], info["last_error_message"] = h.failedAt.Unix(), h.failed
	}
	return info, nil
}

// A Hooking is a webhook as the server keeps it, for tests.
type Hooking struct {
	URL    string
	Secret string
	Max    int
}

// Hook returns the webhook that is set; the zero value for none.
func (s *Server) Hook() Hooking {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook == nil {
		return Hooking{}
	}
	return Hooking{s.hook.url, s.hook.secret, s.hook.max}
}

// WaitHook waits until a webhook is set, or until there is none for "".
func (s *Server) WaitHook(ctx context.Context, url string) error {
	return s.await(ctx, func() bool { return url == "" && s.hook == nil || s.hook != nil && s.hook.url == url })
}

// A Delivery is one try to hand an update to a webhook.
type Delivery struct {
	Update int64
	Body   []byte
	Status int // 0: there was no answer
	At     time.Time
}

// Deliveries returns all tries so far.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// WaitDeliveries waits until an update was tried to be handed over n times.
func (s *Server) WaitDeliveries(ctx context.Context, n int) ([]Delivery, error) {
	err := s.await(ctx, func() bool { return len(s.deliveries) >= n })
	return s.Deliveries(), err
}

// Close ends all deliveries. A server that never had a webhook need not be closed.
func (s *Server) Close() {
	s.mu.Lock()
	s.unhook()
	s.stop()
	s.mu.Unlock()
	s.delivering.Wait()
}

// laneOf is the queue in which an update waits: that of its chat, or of the person
// for what has none. Those of one are delivered in order.
func laneOf(update map[string]any) int64 {
	var known struct {
		Message, Edited, Member *struct {
			Chat struct{ ID int64 } `json:"chat"`
		}
		Query *struct {
			From    struct{ ID int64 } `json:"from"`
			Message *struct {
				Chat struct{ ID int64 } `json:"chat"`
			} `json:"message"`
		}
	}
	for kind, into := range map[string]any{
		"message": &known.Message, "edited_message": &known.Edited, "my_chat_member": &known.Member, "callback_query": &known.Query,
	} {
		if body, err := json.Marshal(update[kind]); err == nil {
			_ = json.Unmarshal(body, into) // what cannot be read has the lane 0
		}
	}
	switch {
	case known.Message != nil:
		return known.Message.Chat.ID
	case known.Edited != nil:
		return known.Edited.Chat.ID
	case known.Member != nil:
		return known.Member.Chat.ID
	case known.Query != nil && known.Query.Message != nil:
		return known.Query.Message.Chat.ID
	case known.Query != nil:
		return known.Query.From.ID
	default:
		return 0
	}
}

// mayReply reports whether a method may be called in the answer to a delivery.
func mayReply(name string) bool {
	name = strings.ToLower(name)
	return name != "" && !strings.HasPrefix(name, "get") && !slices.Contains([]string{"setwebhook", "deletewebhook", "close", "logout"}, name)
}

// gone notes that the other side says 410, and reports whether it has for so long
// that the webhook is removed.
func (h *hook) gone(status int, now time.Time) bool {
	if status != http.StatusGone {
		h.goneSince = time.Time{}
		return false
	}
	if h.goneSince.IsZero() {
		h.goneSince = now
	}
	return now.Sub(h.goneSince) >= hookGoneAfter
}
