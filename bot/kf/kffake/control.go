package kffake

import (
	"encoding/json"
	"net/http"
	"strings"
)

// controlPath is where tests in other languages play the customers: each method is POST
// controlPath + its name, with its parameters as JSON.
const controlPath = "/control/"

// control does what a test wants, and answers what came of it.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	var o struct {
		Customer string `json:"customer"`
		Text     string `json:"text"`
		URL      string `json:"url"`
	}
	if r.Method == http.MethodPost && json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax)).Decode(&o) != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	var out any
	switch strings.TrimPrefix(r.URL.Path, controlPath) {
	case "say":
		out = s.Say(ctx, o.Customer, o.Text)
	case "tap":
		out, _ = s.Tap(ctx, o.Customer, o.Text)
	case "enter":
		out = s.Enter(ctx, o.Customer, o.Text)
	case "lead":
		out = s.Lead(ctx, o.Customer, o.Text)
	case "forge":
		out = s.Forge(ctx, o.Text)
	case "connect":
		s.Connect(o.URL, nil)
	case "lines":
		out = s.Lines(o.Customer)
	case "check":
		out = "ok"
		if err := s.Check(ctx); err != nil {
			out = err.Error()
		}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // the caller has gone
}
