package wechatfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"fanli/bot/tencent/tencentfake"
)

// bodyMax bounds a request: a picture of 10 MB in a form.
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

// An endpoint answers calls of a path.
type endpoint struct {
	method string // POST needs a body
	right  right
	open   bool // needs no token
	do     func(r *request) (any, *refusal)
}

// endpoints are all that there are.
func (s *Server) endpoints() map[string]endpoint {
	get, post := http.MethodGet, http.MethodPost
	return map[string]endpoint{
		"/cgi-bin/token":                       {get, free, true, s.token},
		"/cgi-bin/stable_token":                {post, free, true, s.stableToken},
		"/cgi-bin/message/custom/send":         {post, rightCustom, false, s.sendCustom},
		"/cgi-bin/message/custom/typing":       {post, rightCustom, false, s.sendTyping},
		"/cgi-bin/message/template/send":       {post, rightTemplate, false, s.sendTemplate},
		"/cgi-bin/message/template/subscribe":  {post, rightOnce, false, s.sendOnce},
		"/cgi-bin/message/subscribe/bizsend":   {post, rightSubscription, false, s.sendSubscription},
		"/cgi-bin/menu/create":                 {post, rightMenu, false, s.createMenu},
		"/cgi-bin/menu/get":                    {get, rightMenu, false, s.getMenu},
		"/cgi-bin/menu/delete":                 {get, rightMenu, false, s.deleteMenu},
		"/cgi-bin/menu/addconditional":         {post, rightMenu, false, s.addConditional},
		"/cgi-bin/menu/delconditional":         {post, rightMenu, false, s.deleteConditional},
		"/cgi-bin/menu/trymatch":               {post, rightMenu, false, s.tryMenu},
		"/cgi-bin/tags/create":                 {post, rightTags, false, s.createTag},
		"/cgi-bin/tags/get":                    {get, rightTags, false, s.getTags},
		"/cgi-bin/tags/delete":                 {post, rightTags, false, s.deleteTag},
		"/cgi-bin/tags/members/batchtagging":   {post, rightTags, false, s.tagging(true)},
		"/cgi-bin/tags/members/batchuntagging": {post, rightTags, false, s.tagging(false)},
		"/cgi-bin/user/info":                   {get, rightUser, false, s.userInfo},
		"/cgi-bin/qrcode/create":               {post, rightCode, false, s.createCode},
		"/cgi-bin/media/upload":                {post, rightMedia, false, s.upload},
		"/cgi-bin/get_api_domain_ip":           {get, free, false, s.addresses},
		"/cgi-bin/clear_quota":                 {post, free, false, func(*request) (any, *refusal) { return nil, nil }},
	}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, controlPath):
		s.control(w, r)
		return
	case r.URL.Path == showPath:
		s.showCode(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		answer(w, nil, refuse(45001, "media size out of limit"))
		return
	}
	f, failing := s.faults.Next(r.URL.Path)
	no := func(code int, text string) { answer(w, nil, refuse(code, text)) }
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
	answer(w, result, refused)
}

// run answers a call.
func (s *Server) run(r *request) (any, *refusal) {
	e, ok := s.endpoints()[r.http.URL.Path]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok || e.do == nil:
		return nil, refuse(40066, "invalid url")
	case e.method == http.MethodPost && r.http.Method != http.MethodPost:
		return nil, refuse(43002, "require POST method")
	case e.method == http.MethodGet && r.http.Method != http.MethodGet && e.open:
		return nil, refuse(43001, "require GET method")
	}
	if !e.open {
		if f := s.admit(r.query.Get("access_token")); f != nil {
			return nil, f
		}
	}
	if f := s.profile.may(e.right); f != nil {
		return nil, f
	}
	if e.method == http.MethodPost && len(bytes.TrimSpace(r.body)) == 0 {
		return nil, refuse(44002, "empty post data")
	}
	return e.do(r)
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

// answer writes a result or a refusal, always with status 200 and with no end of line,
// at which co-wechat-api stumbles. A result of nil is one that says only that it is well.
func answer(w http.ResponseWriter, result any, f *refusal) {
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	switch {
	case f != nil:
		result = map[string]any{"errcode": f.code, "errmsg": f.text + " rid: " + rid()}
	case result == nil:
		result = map[string]any{"errcode": 0, "errmsg": "ok"}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		panic("wechatfake: " + err.Error()) // all results are of maps, lists, texts and numbers
	}
	_, _ = w.Write(bytes.TrimSpace(out.Bytes())) // the caller has gone
}

// well adds to a result that it is well.
func well(result map[string]any) map[string]any {
	out := map[string]any{"errcode": 0, "errmsg": "ok"}
	maps.Copy(out, result)
	return out
}

// rid is the number under which the platform knows a request.
func rid() string {
	part := func() string { return fmt.Sprintf("%08x", []byte(random(4))) }
	return part() + "-" + part() + "-" + part()
}

func (s *Server) addresses(*request) (any, *refusal) {
	return map[string]any{"ip_list": []string{"101.226.103.0/25"}}, nil
}
