package wechatfake

import (
	"fmt"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// The life of a token.
const (
	tokenLife    = 2 * time.Hour
	tokenGrace   = 5 * time.Minute // an old one lives on so long
	forcedPause  = 30 * time.Second
	forcedPerDay = 20
	tokenLen     = 136
	tokenMin     = 40 // what is shorter is no token at all
)

// tokens are those that were handed out.
type tokens struct {
	until   map[string]time.Time // gone ones, too: they are expired, not unknown
	stable  string
	plain   string
	forced  []time.Time
	expires time.Duration // of new ones; 0 means tokenLife
}

func (s *Server) newToken(life time.Duration) string {
	if s.tokens.until == nil {
		s.tokens.until = map[string]time.Time{}
	}
	t := "80_" + random(tokenLen)
	s.tokens.until[t] = s.cfg.Now().Add(life)
	return t
}

// admit says what is wrong with a token; nil for nothing.
func (s *Server) admit(token string) *refusal {
	until, known := s.tokens.until[token]
	switch {
	case token == "":
		return refuse(41001, "access_token missing")
	case len(token) < tokenMin:
		return refuse(40014, "invalid access_token")
	case !known:
		return refuse(40001, "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r")
	case !s.cfg.Now().Before(until):
		return refuse(42001, "access_token expired")
	}
	return nil
}

// application checks who asks for a token.
func (s *Server) application(r *request, id, secret string) *refusal {
	ip := tencentfake.Caller(r.http)
	switch {
	case s.cfg.AllowedIP != "" && ip != s.cfg.AllowedIP:
		return refuse(40164, fmt.Sprintf("invalid ip %s ipv6 ::ffff:%s, not in whitelist", ip, ip))
	case id == "":
		return refuse(41002, "appid missing")
	case id != s.cfg.AppID:
		return refuse(40013, "invalid appid")
	case secret == "":
		return refuse(41004, "appsecret missing")
	case secret != s.cfg.AppSecret:
		return refuse(40125, "invalid appsecret")
	}
	return nil
}

// token hands out a plain token; each one makes the one before old.
func (s *Server) token(r *request) (any, *refusal) {
	if r.query.Get("grant_type") != "client_credential" {
		return nil, refuse(40002, "invalid grant_type")
	}
	if f := s.application(r, r.query.Get("appid"), r.query.Get("secret")); f != nil {
		return nil, f
	}
	s.outlive(s.tokens.plain)
	s.tokens.plain = s.newToken(s.life())
	return map[string]any{"access_token": s.tokens.plain, "expires_in": int(s.life() / time.Second)}, nil
}

func (s *Server) life() time.Duration {
	if s.tokens.expires > 0 {
		return s.tokens.expires
	}
	return tokenLife
}

// outlive lets an old token live a little longer.
func (s *Server) outlive(old string) {
	grace := s.cfg.Now().Add(tokenGrace)
	if until, ok := s.tokens.until[old]; ok && grace.Before(until) {
		s.tokens.until[old] = grace
	}
}

// stableToken hands out the stable token: the same one while it is good, and a new one
// in its last five minutes, when both count.
func (s *Server) stableToken(r *request) (any, *refusal) {
	var in struct {
		Grant  string `json:"grant_type"`
		ID     string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	if in.Grant != "client_credential" {
		return nil, refuse(40002, "invalid grant_type")
	}
	if f := s.application(r, in.ID, in.Secret); f != nil {
		return nil, f
	}
	now := s.cfg.Now()
	left := s.tokens.until[s.tokens.stable].Sub(now)
	switch {
	case in.Force:
		if f := s.force(now); f != nil {
			return nil, f
		}
		if s.tokens.stable != "" {
			s.tokens.until[s.tokens.stable] = time.Time{}.Add(time.Second) // at once
		}
		s.tokens.stable, left = s.newToken(s.life()), s.life()
	case left <= 0 || left < tokenGrace:
		s.tokens.stable, left = s.newToken(s.life()), s.life()
	}
	return map[string]any{"access_token": s.tokens.stable, "expires_in": int(left / time.Second)}, nil
}

// force counts forced refreshes.
func (s *Server) force(now time.Time) *refusal {
	var today []time.Time
	for _, t := range s.tokens.forced {
		if now.Sub(t) < 24*time.Hour {
			today = append(today, t)
		}
	}
	s.tokens.forced = today
	switch n := len(today); {
	case n >= forcedPerDay:
		return refuse(45009, "reach max api daily quota limit")
	case n > 0 && now.Sub(today[n-1]) < forcedPause:
		return refuse(45011, "api minute-quota reach limit  mustslower  retry next minute")
	}
	s.tokens.forced = append(s.tokens.forced, now)
	return nil
}

// DropTokens makes all tokens unknown, as when somebody else has asked for one or the
// secret was changed: calls fail with 40001.
func (s *Server) DropTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens.until)
	s.tokens.stable, s.tokens.plain = "", ""
}

// ExpireTokens makes all tokens run out: calls fail with 42001.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.tokens.until {
		s.tokens.until[t] = s.cfg.Now()
	}
}

// TokenLife changes how long new tokens live; 0 means two hours.
func (s *Server) TokenLife(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens.expires = d
}
