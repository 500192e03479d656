package kffake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// bodyMax bounds a request.
const bodyMax = 12 << 20

// A refusal is an answer that says no.
type refusal struct {
	code int
	text string
}

func refuse(code int, text string) *refusal { return &refusal{code, text} }

// A Call is one that was made, for tests that look.
type Call = tencentfake.Call

// A request is a call while it is answered.
type request struct {
	http  *http.Request
	query url.Values
	body  []byte
}

// decode reads the body.
func (r *request) decode(into any) *refusal {
	if json.Unmarshal(r.body, into) != nil {
		return refuse(47001, "data format error")
	}
	return nil
}

// endpoint answers a path; nil for one that there is not.
func (s *Server) endpoint(path string) func(r *request) (map[string]any, *refusal) {
	return map[string]func(r *request) (map[string]any, *refusal){
		"/cgi-bin/kf/sync_msg":          s.syncMsg,
		"/cgi-bin/kf/send_msg":          s.sendMsg,
		"/cgi-bin/kf/send_msg_on_event": s.sendOnEvent,
		"/cgi-bin/kf/account/list":      s.accounts,
		"/cgi-bin/kf/add_contact_way":   s.contactWay,
		"/cgi-bin/media/upload":         s.upload,
	}[path]
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		s.answer(w, r, nil, refuse(45001, "media size out of limit"))
		return
	}
	f, failing := s.faults.Next(r.URL.Path)
	no := func(code int, text string) { s.answer(w, r, nil, refuse(code, text)) }
	if failing && !f.Wait(r.Context(), s.cfg.After) {
		return
	}
	if failing && !f.Late && f.Answer(w, r, no) {
		s.note(r, body, f.Code)
		return
	}
	result, refused := s.run(&request{r, r.URL.Query(), body})
	code := 0
	if refused != nil {
		code = refused.code
	}
	s.note(r, body, code)
	if failing && f.Late && f.Answer(w, r, no) {
		return
	}
	s.answer(w, r, result, refused)
	if refused == nil {
		s.after(r.Context())
	}
}

// run answers a call.
func (s *Server) run(r *request) (map[string]any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.AllowedIP != "" && tencentfake.Caller(r.http) != s.cfg.AllowedIP {
		return nil, refuse(60020, "not allow to access from your ip")
	}
	if r.http.URL.Path == "/cgi-bin/gettoken" {
		return s.getToken(r)
	}
	do := s.endpoint(r.http.URL.Path)
	if do == nil {
		return nil, refuse(40066, "invalid url")
	}
	if f := s.admit(r.query.Get("access_token")); f != nil {
		return nil, f
	}
	switch {
	case r.http.Method != http.MethodPost:
		return nil, refuse(43002, "require POST method")
	case len(bytes.TrimSpace(r.body)) == 0:
		return nil, refuse(44002, "empty post data")
	}
	return do(r)
}

// note keeps a call for those who look.
func (s *Server) note(r *http.Request, body []byte, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{Path: r.URL.Path, Query: r.URL.Query(), Body: body, Code: code, At: s.cfg.Now()})
}

// Calls returns the calls of a path so far; "" for all.
func (s *Server) Calls(path string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if path == "" || c.Path == path {
			out = append(out, c)
		}
	}
	return out
}

// answer writes a result or a refusal, always with status 200.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, result map[string]any, f *refusal) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	out := map[string]any{"errcode": 0, "errmsg": "ok"}
	maps.Copy(out, result)
	if f != nil {
		w.Header().Set("Error-Code", fmt.Sprint(f.code))
		w.Header().Set("Error-Msg", f.text)
		out = map[string]any{"errcode": f.code, "errmsg": fmt.Sprintf("%s, hint: [%s], from ip: %s, more info at https://open.work.weixin.qq.com/devtool/query?e=%d",
			f.text, tencentfake.Random(22), tencentfake.Caller(r), f.code)}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(out) // the caller has gone
}

// The life of tokens.
const (
	tokenLife = 2 * time.Hour
	syncLife  = 10 * time.Minute
	tokenLen  = 150
)

// getToken hands out a token: the same one as long as it lives.
func (s *Server) getToken(r *request) (map[string]any, *refusal) {
	switch id, secret := r.query.Get("corpid"), r.query.Get("corpsecret"); {
	case id == "":
		return nil, refuse(41002, "corpid missing")
	case id != s.cfg.CorpID:
		return nil, refuse(40013, "invalid corpid")
	case secret == "":
		return nil, refuse(41004, "corpsecret missing")
	case secret != s.cfg.Secret:
		return nil, refuse(40001, "invalid credential")
	}
	now := s.cfg.Now()
	if !now.Before(s.tokens[s.token]) {
		s.token = tencentfake.Random(tokenLen)
		s.tokens[s.token] = now.Add(tokenLife)
	}
	return map[string]any{"access_token": s.token, "expires_in": int(s.tokens[s.token].Sub(now) / time.Second)}, nil
}

// admit says what is wrong with a token; nil for nothing.
func (s *Server) admit(token string) *refusal {
	until, known := s.tokens[token]
	switch {
	case token == "":
		return refuse(41001, "access_token missing")
	case !known:
		return refuse(40014, "invalid access_token")
	case !s.cfg.Now().Before(until):
		return refuse(42001, "access_token expired")
	}
	return nil
}

// DropTokens makes all tokens unknown, as when the secret was changed: calls fail with
// 40014.
func (s *Server) DropTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// ExpireTokens makes all tokens run out: calls fail with 42001.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.tokens {
		s.tokens[t] = s.cfg.Now()
	}
}

func (s *Server) accounts(*request) (map[string]any, *refusal) {
	return map[string]any{"account_list": []any{map[string]any{
		"open_kfid": s.cfg.OpenKfID, "name": "返利客服", "avatar": "https://wework.qpic.cn/wwpic/1", "manage_privilege": true,
	}}}, nil
}

func (s *Server) contactWay(r *request) (map[string]any, *refusal) {
	var in struct {
		OpenKfID string `json:"open_kfid"`
		Scene    string `json:"scene"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	if in.OpenKfID != s.cfg.OpenKfID {
		return nil, refuse(95000, "invalid open_kfid")
	}
	return map[string]any{"url": "https://work.weixin.qq.com/kf/kfc" + tencentfake.Random(16) + "?enc_scene=ENC" + url.QueryEscape(in.Scene)}, nil
}
