package pddfake

import (
	"crypto/md5" // the platform's signature is MD5
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// requestBytesMax limits what the gateway reads of a request.
const requestBytesMax = 1 << 20

// clockSkewMax is how far a request's timestamp may lie from our clock.
const clockSkewMax = 10 * time.Minute

// A refusal is an error_response.
type refusal struct {
	code int
	sub  any // string, number or nil, as it happens
	text string
}

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}

// params are the parameters of a call, from wherever they came.
type params map[string]string

// answer is a document to send: its root and what stands under it.
type answer struct {
	root string
	body map[string]any
}

// gateway is the one address of all methods.
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) {
	p, err := readParams(r)
	if err != nil {
		s.sendRefusal(w, refuse(10000, "参数错误:%v", err))
		return
	}
	switch mode, healthy := s.failing(); mode {
	case Stall:
		select {
		case <-healthy:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case Down:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case Garbage:
		_, _ = io.WriteString(w, "<html><body>系统繁忙")
		return
	case Limited:
		s.sendRefusal(w, refuse(52101, "当前接口被限流，请稍后重试"))
		return
	case Denied:
		s.sendRefusal(w, refuse(20031, "用户没有授权访问此接口"))
		return
	}
	a, no := s.serve(p)
	if no != nil {
		s.sendRefusal(w, no)
		return
	}
	a.body["request_id"] = s.requestID()
	send(w, map[string]any{a.root: a.body})
}

// serve checks a call as the platform does, and runs its method.
func (s *Server) serve(p params) (answer, *refusal) {
	methods := map[string]func(params) (answer, *refusal){
		"pdd.ddk.goods.search":                 s.search,
		"pdd.ddk.goods.zs.unit.url.gen":        s.convert,
		"pdd.ddk.goods.promotion.url.generate": s.generate,
		"pdd.ddk.rp.prom.url.generate":         s.promotionPage,
		"pdd.ddk.member.authority.query":       s.authorityQuery,
		"pdd.ddk.order.list.increment.get":     s.updatedOrders,
		"pdd.ddk.order.list.range.get":         s.paidOrders,
	}
	method, ok := methods[p["type"]]
	if !ok {
		return answer{}, refuse(10017, "type错误:%s", p["type"])
	}
	if p["client_id"] != s.cfg.ClientID {
		return answer{}, refuse(10016, "client_id错误")
	}
	at, err := strconv.ParseInt(p["timestamp"], 10, 64)
	if err != nil || time.Unix(at, 0).Sub(s.cfg.Now()).Abs() > clockSkewMax {
		return answer{}, refuse(10001, "公共参数错误:timestamp")
	}
	if p["data_type"] != "JSON" {
		return answer{}, refuse(10001, "公共参数错误:data_type")
	}
	if p["sign"] != signature(s.cfg.ClientSecret, p) {
		return answer{}, refuse(20004, "签名sign校验失败")
	}
	return method(p)
}

// signature is written apart from the client's on purpose.
func signature(secret string, p params) string {
	pairs := make([]string, 0, len(p))
	for k, v := range p {
		if k != "sign" && k != "access_token" {
			pairs = append(pairs, k+"\x00"+v)
		}
	}
	sort.Strings(pairs)
	text := secret + strings.ReplaceAll(strings.Join(pairs, ""), "\x00", "") + secret
	return fmt.Sprintf("%X", md5.Sum([]byte(text)))
}

// readParams merges the query, a form and a JSON object.
func readParams(r *http.Request) (params, error) {
	p := params{}
	take := func(v url.Values) {
		for k := range v {
			p[k] = v.Get(k)
		}
	}
	take(r.URL.Query())
	body, err := io.ReadAll(io.LimitReader(r.Body, requestBytesMax))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return p, readJSON(p, body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	take(form)
	return p, nil
}

// readJSON takes strings as they are and all else as the text that was sent.
func readJSON(p params, body []byte) error {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	for k, raw := range doc {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		p[k] = text
	}
	return nil
}

func (s *Server) sendRefusal(w http.ResponseWriter, no *refusal) {
	sub := ""
	if no.sub != nil {
		sub = no.text
	}
	send(w, map[string]any{"error_response": map[string]any{
		"error_msg": no.text, "sub_msg": sub, "sub_code": no.sub, "error_code": no.code, "request_id": s.requestID(),
	}})
}

// requestID is a number too long for a float.
func (s *Server) requestID() string {
	return strconv.FormatInt(s.cfg.Now().UnixMilli(), 10) + "0001"
}

// send writes a document. The platform answers 200 whatever it has to say.
func send(w http.ResponseWriter, doc map[string]any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(doc) // a client that has gone is its own concern
}

// number reads a whole number between lo and hi, or def where it is absent.
func (p params) number(name string, lo, hi, def int64) (int64, *refusal) {
	text, ok := p[name]
	if !ok || text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, refuse(10000, "参数错误:%s", name)
	}
	return n, nil
}
