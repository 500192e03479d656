package wechatfake

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// controlPath is where tests in other languages play the followers: each method is
// POST controlPath + its name, with its parameters as JSON.
const controlPath = "/control/"

// An order is what a test wants.
type order struct {
	OpenID      string  `json:"openid"`
	Text        string  `json:"text"` // what is said, recognised or pressed; a scene, a key, an id
	Title       string  `json:"title"`
	Description string  `json:"description"`
	URL         string  `json:"url"`
	Accepts     bool    `json:"accepts"`
	Template    string  `json:"template"`
	Scene       string  `json:"scene"`
	Path        string  `json:"path"`
	Times       int     `json:"times"`
	Fault       Fault   `json:"fault"`
	Mode        Mode    `json:"mode"`
	Profile     Profile `json:"profile"`
	Seconds     int     `json:"seconds"`
}

// control does what a test wants, and answers what came of it.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	var o order
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	} else {
		o.OpenID, o.Path = r.URL.Query().Get("openid"), r.URL.Query().Get("path")
	}
	name := strings.TrimPrefix(r.URL.Path, controlPath)
	out, ok := s.act(r.Context(), name, o)
	if !ok {
		out, ok = s.set(name, o)
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // the caller has gone
}

// act is what followers do.
func (s *Server) act(ctx context.Context, name string, o order) (out any, ok bool) {
	switch name {
	case "say":
		return s.Say(ctx, o.OpenID, o.Text), true
	case "show":
		return s.Show(ctx, o.OpenID, o.URL), true
	case "speak":
		return s.Speak(ctx, o.OpenID, o.Text), true
	case "share":
		return s.Share(ctx, o.OpenID, o.Title, o.Description, o.URL), true
	case "follow":
		return s.Follow(ctx, o.OpenID, o.Scene), true
	case "unfollow":
		return s.Unfollow(ctx, o.OpenID), true
	case "scan":
		if o.URL != "" {
			return s.ScanPicture(ctx, o.OpenID, o.URL), true
		}
		return s.Scan(ctx, o.OpenID, o.Scene), true
	case "click":
		return s.Click(ctx, o.OpenID, o.Text), true
	case "press":
		return s.Press(ctx, o.OpenID, o.Text), true
	case "tap":
		return s.Tap(ctx, o.OpenID, o.Text), true
	case "subscribe":
		return s.Subscribe(ctx, o.OpenID, o.Template, o.Accepts), true
	case "forge":
		return s.Forge(ctx, o.OpenID, o.Text, Forgery(o.Path)), true
	case "check":
		if err := s.Check(ctx); err != nil {
			return map[string]any{"ok": false, "why": err.Error()}, true
		}
		return map[string]any{"ok": true}, true
	default:
		return nil, false
	}
}

// set is what the console does, and looking.
func (s *Server) set(name string, o order) (out any, ok bool) {
	done := map[string]bool{"ok": true}
	switch name {
	case "seen":
		return s.Seen(o.OpenID), true
	case "lines":
		return s.Lines(o.OpenID), true
	case "calls":
		return s.Calls(o.Path), true
	case "consent":
		s.Consent(o.OpenID, o.Template, o.Scene)
	case "fail":
		s.Fail(o.Path, o.Times, o.Fault)
	case "heal":
		s.Heal()
	case "droptokens":
		s.DropTokens()
	case "expiretokens":
		s.ExpireTokens()
	case "tokenlife":
		s.TokenLife(time.Duration(o.Seconds) * time.Second)
	case "connect":
		s.Connect(o.URL, nil)
	case "mode":
		s.SetMode(o.Mode)
	case "profile":
		s.SetProfile(o.Profile)
	default:
		return nil, false
	}
	return done, true
}
