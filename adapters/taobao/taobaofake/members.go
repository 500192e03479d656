package taobaofake

import (
	"encoding/json"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fanli/core/market"
)

// AuthorizePath ends the path of the page on which a shopper allows an application to
// know who they are.
const AuthorizePath = "/authorize"

// grantLife is how long a code of OAuth can be exchanged. The documentation does not say.
const grantLife = 10 * time.Minute

// A grant is a shopper's permission, under a code first and then under a token.
type grant struct {
	buyer string
	until time.Time
}

// Grant lets a buyer allow the application, and returns the code with which OAuth sends
// them back.
func (s *Server) Grant(buyer string) (code string) {
	code = s.draw(24)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants[code] = &grant{buyer, s.cfg.Now().Add(grantLife)}
	return code
}

// Special is the member's number of a buyer: always the same one.
func Special(buyer string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte("special " + buyer)) // never fails
	return strconv.FormatInt(2_000_000_000+int64(h.Sum32()%900_000_000), 10)
}

// special is the number of the member who has bought a line, if it was one then.
func (s *Server) special(l market.Line) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, is := s.members[l.Click.Buyer]
	if !is || l.Created.Before(since) {
		return nil
	}
	return json.Number(Special(l.Click.Buyer))
}

// take uses a grant up: codes and tokens of this gateway are good once.
func (s *Server) take(name string) (grant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[name]
	delete(s.grants, name)
	if g == nil || !g.until.After(s.cfg.Now()) {
		return grant{}, false
	}
	return *g, true
}

// createAccess exchanges a code for a token.
func (c *call) createAccess() (object, refusal) {
	code := c.form.Get("code")
	if code == "" {
		return nil, missing("code")
	}
	g, ok := c.s.take(code)
	if !ok {
		return nil, business("isv.code-invalid", "authorize code "+code+" is expired or was used")
	}
	token := "6200" + c.s.draw(40)
	c.s.mu.Lock()
	c.s.grants[token] = &g
	c.s.mu.Unlock()
	b, err := json.Marshal(map[string]any{
		"access_token": token, "refresh_token": "6201" + c.s.draw(40), "expires_in": 86400, "token_type": "Bearer",
		"taobao_user_nick": url.QueryEscape(g.buyer), "taobao_open_uid": "AAH" + c.s.draw(20),
	})
	if err != nil { // every value is plain data
		panic(err)
	}
	return object{"token_result": string(b)}, refusal{}
}

// savePublisher makes a member of the shopper whose token it is.
func (c *call) savePublisher() (object, refusal) {
	session := c.form.Get("session")
	if session == "" {
		return nil, refusal{code: 26, msg: "Missing Session"}
	}
	g, ok := c.s.take(session)
	switch {
	case !ok:
		return nil, refusal{code: 27, msg: "Invalid Session " + session, sub: "invalid-sessionkey"}
	case c.form.Get("inviter_code") == "":
		return nil, missing("inviter_code")
	case c.form.Get("inviter_code") != c.s.cfg.InviteCode:
		return nil, invalid("inviter_code")
	case c.form.Get("info_type") != "1":
		return nil, business("30501", "info_type错误")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	desc := "重复绑定"
	if _, is := c.s.members[g.buyer]; !is {
		desc = "绑定成功"
		c.s.members[g.buyer] = c.s.cfg.Now()
	}
	return object{"data": object{"special_id": json.Number(Special(g.buyer)), "account_name": "s**x", "desc": desc}}, refusal{}
}

var authorizeHTML = template.Must(template.New("authorize").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>授权 · Authorise</title></head>
<body style="font-family:system-ui,sans-serif;text-align:center;margin:2rem auto;max-width:22rem">
<h1>淘宝授权（沙盒）</h1><p>允许这个应用知道你是谁吗？<br><small lang="en">Let this application know who you are? (sandbox)</small></p>
<p><a id="allow" href="{{.Allow}}">同意 · Allow</a></p><p><a id="refuse" href="{{.Refuse}}">拒绝 · Refuse</a></p>
</body></html>`))

// authorize is OAuth's page. It asks the buyer that the query names; nobody for the one
// whose name makes no difference.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || s.cfg.Callback == "" || q.Get("redirect_uri") != s.cfg.Callback || q.Get("client_id") != s.cfg.AppKey || q.Get("response_type") != "code" {
		http.Error(w, "redirect_uri, client_id or response_type is not that of the application", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	switch q.Get("answer") {
	case "allow":
		answer.Set("code", s.Grant(q.Get("buyer")))
	case "refuse":
		answer.Set("error", "access_denied")
		answer.Set("error_description", "authorize reject")
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		yes, no := q, url.Values{}
		for k, v := range q {
			no[k] = v
		}
		no.Set("answer", "refuse")
		refuse := "?" + no.Encode()
		yes.Set("answer", "allow")
		_ = authorizeHTML.Execute(w, map[string]string{"Allow": "?" + yes.Encode(), "Refuse": refuse}) // the other side has gone: nobody to tell
		return
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // it is Callback
}
