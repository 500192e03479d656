package fakepayfake

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"fanli/adapters/fakepay"
	"fanli/core/money"
)

// What the provider takes.
const (
	bodyBytesMax = 8 << 10
	clockSkewMax = 10 * time.Minute
)

var numberForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// reply is the body of every answer.
type reply struct {
	Number string    `json:"number,omitempty"`
	Amount money.Fen `json:"amount,omitempty"`
	State  string    `json:"state,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Code   string    `json:"code,omitempty"`
}

// ServeHTTP answers the two calls of the protocol that package fakepay
// describes. The path of a request is signed as the client sees it, so the fake
// may stand under any prefix that http.StripPrefix takes off.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The body is read first: only then does the server notice that a caller has
	// given up.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if err != nil {
		f.answer(w, r, http.StatusRequestEntityTooLarge, reply{Code: "bad_request"})
		return
	}
	_, way := f.Now()
	if !pass(w, r, way) {
		return
	}
	if code := f.refuse(r, body); code != "" || way == Denied {
		if code == "" {
			code = "bad_signature"
		}
		f.answer(w, r, http.StatusUnauthorized, reply{Code: code})
		return
	}
	if way == Forged || way == Unsigned {
		f.lie(w, r, way)
		return
	}
	status, a := f.serve(r, body)
	switch way {
	case LostAnswer:
		panic(http.ErrAbortHandler)
	case Garbage:
		_, _ = io.WriteString(w, `{"number":"`)
	default:
		f.answer(w, r, status, a)
	}
}

// pass lets a request through to the provider, or fails on the road.
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
func (f *Fake) refuse(r *http.Request, body []byte) string {
	h := r.Header
	if h.Get(fakepay.HeaderMerchant) != f.cfg.Merchant {
		return "bad_merchant"
	}
	at, err := strconv.ParseInt(h.Get(fakepay.HeaderTime), 10, 64)
	if err != nil || f.cfg.Now().Sub(time.Unix(at, 0)).Abs() > clockSkewMax {
		return "bad_time"
	}
	want := fakepay.Sign(f.cfg.Secret, r.Method, r.URL.Path, f.cfg.Merchant, h.Get(fakepay.HeaderTime), h.Get(fakepay.HeaderNonce), string(body))
	if h.Get(fakepay.HeaderNonce) == "" || !fakepay.Equal(want, h.Get(fakepay.HeaderSignature)) {
		return "bad_signature"
	}
	return ""
}

// serve has the effect of a request and returns its answer.
func (f *Fake) serve(r *http.Request, body []byte) (int, reply) {
	const path = "/v1/payments"
	switch {
	case r.Method == http.MethodPost && r.URL.Path == path:
		var p Payment
		if err := json.Unmarshal(body, &p); err != nil || !numberForm.MatchString(p.Number) || p.Amount <= 0 || p.Account == "" {
			return http.StatusBadRequest, reply{Code: "bad_request"}
		}
		p, ok := f.take(Payment{Number: p.Number, Amount: p.Amount, Method: p.Method, Account: p.Account, Payee: p.Payee, Note: p.Note})
		if !ok {
			return http.StatusConflict, reply{Code: "number_reused"}
		}
		return http.StatusOK, reply{Number: p.Number, Amount: p.Amount, State: p.State, Reason: p.Reason}
	case r.Method == http.MethodGet && len(r.URL.Path) > len(path)+1 && r.URL.Path[:len(path)+1] == path+"/":
		p, ok := f.look(r.URL.Path[len(path)+1:])
		if !ok {
			return http.StatusNotFound, reply{Code: "not_found"}
		}
		return http.StatusOK, reply{Number: p.Number, Amount: p.Amount, State: p.State, Reason: p.Reason}
	default:
		return http.StatusBadRequest, reply{Code: "bad_request"}
	}
}

// lie answers what is not true, as somebody on the road would who wants a
// payment to be taken for made, or to be made again.
func (f *Fake) lie(w http.ResponseWriter, r *http.Request, way string) {
	status, a := http.StatusOK, reply{State: Paid}
	if r.Method == http.MethodGet {
		status, a = http.StatusNotFound, reply{Code: "not_found"}
	}
	body := mustJSON(a)
	if way == Forged {
		w.Header().Set(fakepay.HeaderSignature, fakepay.Sign("not "+f.cfg.Secret, "answer", r.Header.Get(fakepay.HeaderNonce), strconv.Itoa(status), string(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// answer writes a signed answer.
func (f *Fake) answer(w http.ResponseWriter, r *http.Request, status int, a reply) {
	body := mustJSON(a)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(fakepay.HeaderSignature, fakepay.Sign(f.cfg.Secret, "answer", r.Header.Get(fakepay.HeaderNonce), strconv.Itoa(status), string(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON that we encoded
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // replies are plain data
		panic(err)
	}
	return b
}
