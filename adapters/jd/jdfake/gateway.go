package jdfake

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// requestBytesMax limits how much of a request is read.
const requestBytesMax = 1 << 20

// timeLayout is how times stand in texts.
const timeLayout = "2006-01-02 15:04:05"

// beijing is the zone of all times.
var beijing = time.FixedZone("CST", 8*60*60)

// The codes of the gateway.
const (
	gwLimit       = 2
	gwNoVersion   = 4
	gwVersion     = 5
	gwNoTimestamp = 7
	gwTimestamp   = 8
	gwNoSign      = 11
	gwSign        = 12
	gwNoMethod    = 14
	gwMethod      = 15
	gwToken       = 19
	gwAppKey      = 22
)

// gatewayTexts are the words that go with the codes.
var gatewayTexts = map[int][2]string{
	gwLimit:       {"调用次数超限", "App Call Limited"},
	gwNoVersion:   {"缺少版本参数", "Missing Version"},
	gwVersion:     {"不支持的版本号", "Unsupported Version"},
	gwNoTimestamp: {"缺少时间戳参数", "Missing Timestamp"},
	gwTimestamp:   {"非法的时间戳参数", "Invalid Timestamp"},
	gwNoSign:      {"缺少签名参数", "Missing Signature"},
	gwSign:        {"无效签名", "Invalid Signature"},
	gwNoMethod:    {"缺少方法名参数", "Missing Method"},
	gwMethod:      {"不存在的方法名", "Invalid Method"},
	gwToken:       {"无效的access_token", "Invalid access_token"},
	gwAppKey:      {"无效的app_key", "Invalid App Key"},
}

// A refusal is the inner document of a method that did not do what was asked.
type refusal struct {
	code    int
	message string
}

// A reply is the inner document of a method that did.
type reply struct {
	data  any
	more  bool
	paged bool  // there is a hasMore
	total int64 // 0: there is no totalCount
}

// A method reads its parameters and answers.
type method func(s *Server, params json.RawMessage) (reply, *refusal)

// methods are all that the platform knows here.
var methods = map[string]method{
	"jd.union.open.goods.query":                    (*Server).goodsQuery,
	"jd.union.open.goods.promotiongoodsinfo.query": (*Server).plainQuery,
	"jd.union.open.goods.bigfield.query":           (*Server).detailsQuery,
	"jd.union.open.goods.itemid.get":               (*Server).itemIDGet,
	"jd.union.open.coupon.query":                   (*Server).couponQuery,
	"jd.union.open.promotion.common.get":           (*Server).promotionSite,
	"jd.union.open.promotion.bysubunionid.get":     (*Server).promotionChat,
	"jd.union.open.promotion.byunionid.get":        (*Server).promotionVendor,
	"jd.union.open.order.row.query":                (*Server).orderRows,
}

// ServeHTTP answers one call at …/routerjson.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/routerjson") {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, requestBytesMax)
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost && r.Method != http.MethodGet {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if s.failed(w, r) {
		return
	}
	if code := s.check(r.Form); code != 0 {
		s.refuse(w, code, "")
		return
	}
	name := r.Form.Get("method")
	s.mu.Lock()
	s.calls[name]++
	s.mu.Unlock()
	if slices.Contains(s.cfg.Refused, name) {
		s.write(w, name, reply{}, &refusal{403, "无访问权限"})
		return
	}
	rep, no := methods[name](s, json.RawMessage(r.Form.Get("360buy_param_json")))
	s.write(w, name, rep, no)
}

// check returns the gateway's code for a call that does not get through, else 0.
func (s *Server) check(form url.Values) int {
	switch name := form.Get("method"); {
	case name == "":
		return gwNoMethod
	case methods[name] == nil:
		return gwMethod
	case form.Get("app_key") != s.cfg.AppKey:
		return gwAppKey
	case form.Get("access_token") != s.cfg.AccessToken && s.cfg.AccessToken != "":
		return gwToken
	case form.Get("sign") == "":
		return gwNoSign
	case subtle.ConstantTimeCompare([]byte(form.Get("sign")), []byte(s.signature(form))) != 1:
		return gwSign
	case form.Get("timestamp") == "":
		return gwNoTimestamp
	case !s.timely(form.Get("timestamp")):
		return gwTimestamp
	case form.Get("v") == "":
		return gwNoVersion
	case form.Get("v") != "1.0":
		return gwVersion
	}
	return 0
}

// signature computes what the caller should have sent.
func (s *Server) signature(form url.Values) string {
	var names []string
	for name := range form {
		if name != "sign" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	text := s.cfg.AppSecret
	for _, name := range names {
		text += name + form.Get(name)
	}
	return fmt.Sprintf("%X", md5.Sum([]byte(text+s.cfg.AppSecret)))
}

// timely reports whether a caller's clock is near ours.
func (s *Server) timely(stamp string) bool {
	at, err := time.ParseInLocation(timeLayout, strings.TrimSuffix(stamp, ".000+0800"), beijing)
	return err == nil && s.cfg.Now().Sub(at).Abs() <= s.cfg.ClockSlack
}

// failed answers in the mode that Fail has set, if there is one.
func (s *Server) failed(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	mode, healed := s.fail, s.healed
	s.mu.Unlock()
	switch mode {
	case "":
		return false
	case Stall:
		select {
		case <-healed:
		case <-r.Context().Done():
		}
	case Limited:
		if name := r.Form.Get("method"); strings.Contains(name, ".goods.") && methods[name] != nil {
			s.write(w, name, reply{}, &refusal{429, "请求过于频繁"})
			return true
		}
		s.refuse(w, gwLimit, "")
	case Garbage:
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_, _ = w.Write([]byte(`<html><body>系统繁忙</body></html>`))
	case Denied:
		if s.cfg.AccessToken != "" {
			s.refuse(w, gwToken, ": "+s.cfg.AccessToken)
		} else {
			s.refuse(w, gwAppKey, "")
		}
	default:
		http.Error(w, "<html><body>502 Bad Gateway</body></html>", http.StatusBadGateway)
	}
	return true
}

// refuse writes an error_response.
func (s *Server) refuse(w http.ResponseWriter, code int, more string) {
	text := gatewayTexts[code]
	s.send(w, map[string]any{"error_response": map[string]any{
		"code": strconv.Itoa(code), "zh_desc": text[0] + more, "en_desc": text[1] + more, "requestId": s.request(),
	}})
}

func (s *Server) request() string { return fmt.Sprintf("o_%08x_jdfake", s.next()) }

// send writes a document with status 200.
func (s *Server) send(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(doc) // the caller may have gone
}
