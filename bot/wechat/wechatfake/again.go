package wechatfake

import (
	"context"
	"net/http"

	"fanli/bot/tencent/tencentfake"
)

// A pushed is the newest message of a person and the newest request with it.
type pushed struct {
	message message
	wire    wire
}

// remember keeps what is being pushed.
func (s *Server) remember(m message, w wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(m.from).newest = pushed{m, w}
}

func (s *Server) newest(openid string) pushed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person(openid).newest
}

// Again delivers the newest message of a person so many more times, all at once, as the
// platform does that has not heard us: each with its own time and nonce. It waits for the
// answers. An outcome says what the person would see of one; they see none of them.
func (s *Server) Again(ctx context.Context, openid string, times int) []Outcome {
	m, all := s.newest(openid).message, make([]Outcome, times)
	tencentfake.AtOnce(times, func(i int) {
		d := s.deliver(ctx, http.MethodPost, s.wrap(m))
		o := Outcome{Deliveries: []Delivery{d}, Verdict: Faulted, Why: d.Err}
		if d.Status == http.StatusOK {
			o.Verdict, o.Why, o.Seen = s.judge(m, []byte(d.Body))
		}
		all[i] = o
	})
	return all
}

// Reuse sends something else under the query of a person's newest request, as somebody
// does who has seen that: see Reused.
func (s *Server) Reuse(ctx context.Context, openid string) Delivery {
	return s.deliver(ctx, http.MethodPost, reused(s.newest(openid).wire))
}
