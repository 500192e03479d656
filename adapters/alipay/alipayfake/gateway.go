package alipayfake

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fanli/adapters/alipay"
)

// What the gateway takes.
const (
	bodyBytesMax = 64 << 10
	clockSkewMax = 10 * time.Minute
	timeForm     = "2006-01-02 15:04:05"
)

var beijing = time.FixedZone("CST", 8*60*60)

// answer is a node's content.
type answer map[string]any

func refused(code, sub string) answer {
	return answer{"code": code, "msg": "Business Failed", "sub_code": sub, "sub_msg": "交易信息有误"}
}

func succeeded(with answer) answer {
	with["code"], with["msg"] = "10000", "Success"
	return with
}

// ServeHTTP answers a call, or fails as it was told to.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The body is read first: only then does the server notice that a caller has
	// given up.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if err != nil {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	_, way := f.Now()
	if !pass(w, r, way) {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	method := form.Get("method")
	f.mu.Lock()
	f.calls = append(f.calls, method)
	f.mu.Unlock()
	if sub := f.refuse(form); sub != "" || way == Denied {
		if sub == "" {
			sub = "isv.invalid-signature"
		}
		f.write(w, method, refused("40002", sub), signedBy{f.cfg.Keys.gateway, f.serial()})
		return
	}
	f.reply(w, method, form, way)
}

// reply has the effect of a request and answers, or lies.
func (f *Fake) reply(w http.ResponseWriter, method string, form url.Values, way string) {
	gateway := signedBy{f.cfg.Keys.gateway, f.serial()}
	switch way {
	case Forged, Foreign:
		who, err := f.cfg.Keys.stranger()
		if err != nil {
			http.Error(w, "no stranger", http.StatusInternalServerError)
			return
		}
		serial := f.serial()
		if way == Foreign {
			serial = alipay.SerialNumber(who.cert)
		}
		f.write(w, method, lie(method, form), signedBy{who.key, serial})
		return
	case Unsigned:
		f.write(w, method, lie(method, form), signedBy{})
		return
	}
	a, ended := f.serve(method, form)
	if way == ToldFirst && ended != "" {
		f.tell(ended)
		ended = ""
	}
	switch way {
	case LostAnswer:
		panic(http.ErrAbortHandler)
	case Garbage:
		_, _ = io.WriteString(w, `{"`+node(method)+`":{"code":"10000"`)
	case Bare:
		f.write(w, method, a, signedBy{})
	default:
		f.write(w, method, a, gateway)
	}
	if ended != "" {
		f.tell(ended)
	}
}

// pass lets a request through to the gateway, or fails on the road.
func pass(w http.ResponseWriter, r *http.Request, way string) bool {
	switch way {
	case Stall:
		<-r.Context().Done()
		return false
	case LostRequest:
		panic(http.ErrAbortHandler)
	case Down:
		http.Error(w, "upstream unavailable", http.StatusServiceUnavailable)
		return false
	case Slow:
		wait := time.NewTimer(SlowFor)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// refuse says what is wrong with a request's envelope, or "".
func (f *Fake) refuse(form url.Values) string {
	at, err := time.ParseInLocation(timeForm, form.Get("timestamp"), beijing)
	switch {
	case form.Get("app_id") != f.cfg.App:
		return "isv.invalid-app-id"
	case form.Get("format") != "JSON" || form.Get("charset") != "utf-8" || form.Get("version") != "1.0":
		return "isv.invalid-format"
	case form.Get("sign_type") != "RSA2":
		return "isv.invalid-signature-type"
	case err != nil || f.time().Sub(at).Abs() > clockSkewMax:
		return "isv.invalid-timestamp"
	case form.Get("app_cert_sn") == "":
		return "isv.missing-app-cert-sn"
	case form.Get("app_cert_sn") != alipay.SerialNumber(f.cfg.Keys.appCert):
		return "isv.invalid-app-cert-sn"
	case form.Get("alipay_root_cert_sn") != f.cfg.Keys.rootSerial:
		return "isv.invalid-alipay-root-cert-sn"
	}
	signature, err := base64.StdEncoding.DecodeString(form.Get("sign"))
	sum := sha256.Sum256([]byte(alipay.SignedText(form, "sign")))
	if err != nil || rsa.VerifyPKCS1v15(&f.cfg.Keys.app.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return "isv.invalid-signature"
	}
	return ""
}

// serve has the effect of a call. ended is the number of a transfer that has
// ended with it.
func (f *Fake) serve(method string, form url.Values) (a answer, ended string) {
	content := form.Get("biz_content")
	if a, ok := f.trade(method, content, form.Get("notify_url")); ok {
		return a, ""
	}
	switch method {
	case "alipay.fund.trans.uni.transfer":
		return f.transfer(content)
	case "alipay.fund.trans.common.query":
		return f.query(content), ""
	case "alipay.fund.account.query":
		f.mu.Lock()
		defer f.mu.Unlock()
		return succeeded(answer{"available_amount": f.book.Balance.String(), "freeze_amount": "0.00"}), ""
	case "alipay.data.bill.accountlog.query":
		return f.log(content), ""
	case "alipay.open.app.alipaycert.download": // a trap: whose certificate is it?
		who, err := f.cfg.Keys.stranger()
		if err != nil {
			return refused("20000", "isp.unknow-error"), ""
		}
		return succeeded(answer{"alipay_cert_content": base64.StdEncoding.EncodeToString([]byte(certificatePEM(who.cert)))}), ""
	default:
		return refused("40002", "isv.invalid-method"), ""
	}
}

// lie answers what is not true, as somebody on the road would who wants a
// transfer to be taken for made, or to be made again.
func lie(method string, form url.Values) answer {
	var q struct {
		Number string `json:"out_biz_no"`
		Charge string `json:"out_trade_no"`
		Refund string `json:"out_request_no"`
	}
	_ = json.Unmarshal([]byte(form.Get("biz_content")), &q)
	if q.Charge != "" {
		return succeeded(answer{
			"out_trade_no": q.Charge, "qr_code": "https://evil", "trade_no": "1", "trade_status": paid, "total_amount": "99.00",
			"fund_change": "Y", "out_request_no": q.Refund, "refund_status": "REFUND_SUCCESS", "refund_amount": "99.00",
		})
	}
	if strings.HasSuffix(method, ".query") {
		return refused("40004", "ORDER_NOT_EXIST")
	}
	return succeeded(answer{"out_biz_no": q.Number, "order_id": "1", "status": Success})
}

// signedBy is who signs an answer; nobody, if it is empty.
type signedBy struct {
	key    *rsa.PrivateKey
	serial string
}

func (f *Fake) serial() string { return alipay.SerialNumber(f.cfg.Keys.gatewayCert) }

func node(method string) string { return strings.ReplaceAll(method, ".", "_") + "_response" }

// write answers with a node and a signature of its raw bytes.
func (f *Fake) write(w http.ResponseWriter, method string, a answer, by signedBy) {
	raw := mustJSON(a)
	out := map[string]json.RawMessage{node(method): raw}
	if by.key != nil {
		out["alipay_cert_sn"] = mustJSON(by.serial)
		out["sign"] = mustJSON(sign(by.key, raw))
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8") // as Alipay does
	_, _ = w.Write(mustJSON(out))
}

// sign makes an RSA2 signature.
func sign(key *rsa.PrivateKey, text []byte) string {
	sum := sha256.Sum256(text)
	s, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil { // the key is ours
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(s)
}

// Signed returns an answer with a raw node under the gateway's signature.
func (k *Keys) Signed(node, raw string) []byte {
	return []byte(`{"` + node + `":` + raw + `,"alipay_cert_sn":"` + alipay.SerialNumber(k.gatewayCert) + `","sign":"` + sign(k.gateway, []byte(raw)) + `"}`)
}
