package wechatpayfake

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fanli/core/money"
)

// What WeChat takes.
const (
	bodyBytesMax = 64 << 10
	windowMax    = 5 * time.Minute
	pathBills    = "/v3/fund-app/mch-transfer/transfer-bills"
	pathByNo     = pathBills + "/out-bill-no/"
)

var numberForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// ServeHTTP answers the calls of the transfer product, certificates and bills.
// Requests are checked under the path that the client signed, so the fake may
// stand under any prefix that http.StripPrefix takes off.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The body is read first: only then does the server notice that a caller has
	// given up.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if err != nil {
		f.refuse(w, http.StatusRequestEntityTooLarge, "PARAM_ERROR")
		return
	}
	way := f.failing()
	switch way {
	case Stall:
		<-r.Context().Done()
		return
	case LostRequest:
		panic(http.ErrAbortHandler)
	case Down:
		http.Error(w, "upstream unavailable", http.StatusServiceUnavailable)
		return
	}
	if way == Denied || !f.authorized(r, body) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized) // WeChat does not sign for whom it does not know
		_, _ = w.Write(mustJSON(refusal{"SIGN_ERROR", "错误的签名，验签失败"}))
		return
	}
	if r.URL.Path == "/v3/certificates" {
		f.certificates(w)
		return
	}
	if way == Forged || way == Unsigned || way == Lying {
		f.lie(w, r, way)
		return
	}
	status, a := f.serve(r, body)
	if way == Slow && !waited(r) {
		return
	}
	switch way {
	case LostAnswer:
		panic(http.ErrAbortHandler)
	case SystemError:
		f.refuse(w, http.StatusInternalServerError, "SYSTEM_ERROR")
	case Garbage:
		f.answer(w, http.StatusOK, []byte(`{"out_bill_no":"`))
	default:
		if raw, ok := a.([]byte); ok { // a bill is a file, unsigned
			_, _ = w.Write(raw) //nolint:gosec // a file of numbers
			return
		}
		if status == http.StatusNoContent {
			f.answer(w, status, nil)
			return
		}
		f.answer(w, status, mustJSON(a))
	}
}

// waited waits for SlowFor, unless the caller leaves before.
func waited(r *http.Request) bool {
	wait := time.NewTimer(SlowFor)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// authorized judges the header that signs a request.
func (f *Fake) authorized(r *http.Request, body []byte) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 ")
	if !ok {
		return false
	}
	of := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(part, "=")
		of[key] = strings.Trim(value, `"`)
	}
	at, err := strconv.ParseInt(of["timestamp"], 10, 64)
	if err != nil || f.cfg.Now().Sub(time.Unix(at, 0)).Abs() > windowMax || of["nonce_str"] == "" ||
		of["mchid"] != f.cfg.MchID || of["serial_no"] != f.cfg.Serial {
		return false
	}
	text := r.Method + "\n" + r.RequestURI + "\n" + of["timestamp"] + "\n" + of["nonce_str"] + "\n" + string(body) + "\n"
	return verify(f.cfg.Merchant, text, of["signature"])
}

// creation is the body of a request for a bill.
type creation struct {
	AppID     string    `json:"appid"`
	OutBillNo string    `json:"out_bill_no"`
	Scene     string    `json:"transfer_scene_id"`
	OpenID    string    `json:"openid"`
	UserName  string    `json:"user_name"`
	Amount    money.Fen `json:"transfer_amount"`
	Remark    string    `json:"transfer_remark"`
	NotifyURL string    `json:"notify_url"`
	Reports   []struct {
		Type    string `json:"info_type"`
		Content string `json:"info_content"`
	} `json:"transfer_scene_report_infos"`
}

// answers are what WeChat says about a bill.
type created struct {
	OutBillNo  string `json:"out_bill_no"`
	BillNo     string `json:"transfer_bill_no"`
	CreateTime string `json:"create_time"`
	State      string `json:"state"`
	FailReason string `json:"fail_reason,omitempty"`
	Package    string `json:"package_info,omitempty"`
}

type queried struct {
	MchID      string    `json:"mch_id"`
	OutBillNo  string    `json:"out_bill_no"`
	BillNo     string    `json:"transfer_bill_no"`
	AppID      string    `json:"appid"`
	State      string    `json:"state"`
	Amount     money.Fen `json:"transfer_amount"`
	Remark     string    `json:"transfer_remark"`
	FailReason string    `json:"fail_reason,omitempty"`
	OpenID     string    `json:"openid"`
	UserName   string    `json:"user_name,omitempty"`
	CreateTime string    `json:"create_time"`
	UpdateTime string    `json:"update_time"`
}

type cancelled struct {
	OutBillNo  string `json:"out_bill_no"`
	BillNo     string `json:"transfer_bill_no"`
	State      string `json:"state"`
	UpdateTime string `json:"update_time"`
}

type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// serve has the effect of a request and returns its answer.
func (f *Fake) serve(r *http.Request, body []byte) (int, any) {
	if status, a, ok := f.serveTrades(r, body); ok {
		return status, a
	}
	number, byNo := strings.CutPrefix(r.URL.Path, pathByNo)
	number, cancel := strings.CutSuffix(number, "/cancel")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == pathBills:
		return f.create(r, body)
	case r.Method == http.MethodGet && byNo && !cancel:
		b, ok := f.look(number)
		if !ok {
			return http.StatusNotFound, refusal{"NOT_FOUND", "记录不存在"}
		}
		return http.StatusOK, f.queried(b)
	case r.Method == http.MethodPost && byNo && cancel:
		b, found, ok := f.cancel(number)
		switch {
		case !found:
			return http.StatusNotFound, refusal{"NOT_FOUND", "记录不存在"}
		case !ok:
			return http.StatusBadRequest, refusal{"INVALID_REQUEST", "当前单据状态不支持撤销"}
		}
		return http.StatusOK, cancelled{b.Number, b.BillNo, b.State, stamp(b.Updated)}
	case r.Method == http.MethodGet && r.URL.Path == "/v3/bill/fundflowbill":
		return f.flowOf(r)
	case r.Method == http.MethodGet && r.URL.Path == "/v3/bill/tradebill":
		return f.tradesOf(r)
	case r.Method == http.MethodGet && r.URL.Path == pathFile && r.URL.Query().Get("of") == "trades":
		return http.StatusOK, f.tradeBill(r.URL.Query().Get("token"))
	case r.Method == http.MethodGet && r.URL.Path == pathFile:
		return http.StatusOK, f.flow(r.URL.Query().Get("token"))
	default:
		return http.StatusNotFound, refusal{"NOT_FOUND", "没有这个接口"}
	}
}

// create makes a bill.
func (f *Fake) create(r *http.Request, body []byte) (int, any) {
	var c creation
	if json.Unmarshal(body, &c) != nil || !numberForm.MatchString(c.OutBillNo) || c.AppID != f.cfg.AppID || c.OpenID == "" ||
		c.Amount <= 0 || c.Scene == "" || len(c.Reports) == 0 || c.Remark == "" || utf8.RuneCountInString(c.Remark) > 32 {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	const least, nameNever, nameDemand = 10, 30, 200_000
	name, ok := "", c.UserName == ""
	if !ok && r.Header.Get("Wechatpay-Serial") == f.serial() {
		name, ok = decrypt(f.cfg.Platform, c.UserName)
	}
	switch {
	case !ok:
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "敏感信息解密失败"}
	case c.Amount < least, name != "" && c.Amount < nameNever, name == "" && c.Amount >= nameDemand:
		return http.StatusBadRequest, refusal{"INVALID_REQUEST", "金额或姓名不符合要求"}
	case f.failing() == Short:
		return http.StatusForbidden, refusal{"NOT_ENOUGH", "资金不足"}
	}
	b, ok := f.take(Bill{Number: c.OutBillNo, OpenID: c.OpenID, Name: name, Amount: c.Amount, Scene: c.Scene, Remark: c.Remark, NotifyURL: c.NotifyURL})
	if !ok {
		return http.StatusBadRequest, refusal{"INVALID_REQUEST", "商户订单号已存在，但参数不一致"}
	}
	if f.failing() == Early {
		f.callBack(b)
	}
	a := created{OutBillNo: b.Number, BillNo: b.BillNo, CreateTime: stamp(b.Created), State: b.State, FailReason: b.FailReason}
	if b.State == Wait {
		a.Package = b.Package
	}
	return http.StatusOK, a
}

// queried has no package, as WeChat's answer has none.
func (f *Fake) queried(b Bill) queried {
	a := queried{
		f.cfg.MchID, b.Number, b.BillNo, f.cfg.AppID, b.State, b.Amount, b.Remark, b.FailReason, b.OpenID, "", stamp(b.Created), stamp(b.Updated),
	}
	if b.Name != "" {
		a.UserName = encrypt(f.cfg.Merchant, b.Name)
	}
	return a
}

// lie answers what is not true, as somebody on the road would who wants a bill to
// be taken for paid, or for failed.
func (f *Fake) lie(w http.ResponseWriter, r *http.Request, way string) {
	number := strings.TrimPrefix(r.URL.Path, pathByNo)
	status, a := http.StatusOK, map[string]string{"out_bill_no": number, "state": Success}
	if r.Method == http.MethodGet {
		a["state"], a["fail_reason"] = Fail, "OVERDUE_CLOSE"
	}
	if number, ok := strings.CutPrefix(r.URL.Path, pathCharge); ok {
		a = map[string]string{"mchid": f.cfg.MchID, "out_trade_no": strings.TrimSuffix(number, "/close"), "trade_state": closed}
	}
	if way == Lying {
		status, a["code"] = http.StatusBadRequest, Fail
	}
	body := mustJSON(a)
	if way == Forged {
		f.sign(w.Header(), f.other, body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuse writes a signed refusal.
func (f *Fake) refuse(w http.ResponseWriter, status int, code string) {
	f.answer(w, status, mustJSON(refusal{code, code}))
}

// answer writes a signed answer.
func (f *Fake) answer(w http.ResponseWriter, status int, body []byte) {
	f.sign(w.Header(), f.cfg.Platform, body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON that we encoded
}

// Sign sets the headers by which WeChat signs a body.
func (f *Fake) Sign(h http.Header, body []byte) { f.sign(h, f.cfg.Platform, body) }

// sign sets the headers that sign an answer or a callback.
func (f *Fake) sign(h http.Header, key *rsa.PrivateKey, body []byte) {
	at, nonce := strconv.FormatInt(f.cfg.Now().Unix(), 10), newNonce()
	h.Set("Wechatpay-Timestamp", at)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", f.serial())
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(sign(key, at+"\n"+nonce+"\n"+string(body)+"\n")))
}

// serial is that of our key.
func (f *Fake) serial() string {
	if f.cfg.KeyID != "" {
		return f.cfg.KeyID
	}
	return f.cert.serial
}

// stamp writes a time as WeChat does.
func stamp(t time.Time) string {
	return t.In(time.FixedZone("UTC+8", 8*60*60)).Format(time.RFC3339)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // answers are plain data
		panic(err)
	}
	return b
}
