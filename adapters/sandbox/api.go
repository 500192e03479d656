package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/money"
)

// apiRoutes adds the control page as JSON, for programs:
//
//	GET  /control/api/world                                     everything there is
//	POST /control/api/clock                       {"by":"24h"}  or "settlement"
//	POST /control/api/orders                      {"url":"…"}   buys through a link
//	POST /control/api/strays    {"network":"jd","item":"…"}     an order without a mark
//	POST /control/api/orders/{network}/{line}/{deed}            {"amount":"1.50"} for refund
//	POST /control/api/networks/{network}          {"mode":"…"}  "" is health
//	POST /control/api/payer            {"mode":"…","way":"…"}   "" is health
//	POST /control/api/payments/{number}/{fate}                  "paid", "failed" or "returned"
//
// Amounts are fen in answers and yuan, as text, in questions. A failure has the
// status of its code and {"error":{"code":…,"reason":…}}.
func (w *World) apiRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /control/api/world", w.worldAPI)
	post := func(path string, do func(r *http.Request, ask question) (any, error)) {
		mux.HandleFunc("POST /control/api/"+path, func(rw http.ResponseWriter, r *http.Request) {
			ask, err := read(r)
			var out any
			if err == nil {
				out, err = do(r, ask)
			}
			answer(rw, out, err)
		})
	}
	post("clock", func(_ *http.Request, q question) (any, error) {
		err := w.move(q.By)
		return map[string]any{"now": w.Now()}, err
	})
	post("orders", func(_ *http.Request, q question) (any, error) {
		network, l, err := w.BuyItem(q.URL, q.Item, max(q.Quantity, 1))
		return told(Order{network, l}), err
	})
	post("strays", func(_ *http.Request, q question) (any, error) {
		l, err := w.Stray(q.Network, q.Item)
		return told(Order{q.Network, l}), err
	})
	post("orders/{network}/{line}/{deed}", w.deedAPI)
	post("networks/{network}", func(r *http.Request, q question) (any, error) {
		return map[string]bool{"done": true}, w.Fail(r.PathValue("network"), q.Mode)
	})
	post("payer", func(_ *http.Request, q question) (any, error) {
		return map[string]bool{"done": true}, w.setPayer(q.Mode, q.Way)
	})
	post("payments/{number}/{fate}", func(r *http.Request, _ question) (any, error) {
		return map[string]bool{"done": true}, w.decide(r.PathValue("number"), r.PathValue("fate"))
	})
}

// question is every body that the API takes.
type question struct {
	By       string       `json:"by"`
	URL      string       `json:"url"`
	Quantity int          `json:"quantity"`
	Network  string       `json:"network"`
	Item     string       `json:"item"`
	Amount   money.Number `json:"amount"`
	Mode     string       `json:"mode"`
	Way      string       `json:"way"`
}

// read reads a body; none is an empty question.
func read(r *http.Request) (q question, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return q, fault.Newf(fault.Invalid, "sandbox.media", "the body is not application/json")
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil && !errors.Is(err, io.EOF) {
		return q, fault.Wrap(fault.Invalid, "sandbox.read", err)
	}
	if d.More() {
		return q, fault.Newf(fault.Invalid, "sandbox.body", "there is more than one document")
	}
	return q, nil
}

// statuses translate codes; what is not here is a defect of ours.
var statuses = map[fault.Code]int{
	fault.Invalid:  http.StatusBadRequest,
	fault.NotFound: http.StatusNotFound,
	fault.Conflict: http.StatusConflict,
}

// answer writes what was found, or what went wrong.
func answer(rw http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if err != nil {
		var ok bool
		if status, ok = statuses[fault.CodeOf(err)]; !ok {
			status = http.StatusInternalServerError
		}
		out = map[string]any{"error": map[string]string{"code": string(fault.CodeOf(err)), "reason": fault.ReasonOf(err)}}
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(out) // the other side has gone: nobody to tell
}

func (w *World) deedAPI(r *http.Request, q question) (any, error) {
	amount, err := toRefund(q.Amount)
	if err != nil {
		return nil, err
	}
	network, line := r.PathValue("network"), r.PathValue("line")
	if err := w.Do(network, line, Deed(r.PathValue("deed")), amount); err != nil {
		return nil, err
	}
	s, _ := w.Shop(network)
	l, _ := s.Market.Line(line)
	return told(Order{network, l}), nil
}

// tale is an order as the API tells it.
type tale struct {
	Network    string       `json:"network"`
	Line       string       `json:"line"`
	Order      string       `json:"order"`
	Item       string       `json:"item"`
	Title      string       `json:"title"`
	Quantity   int          `json:"quantity"`
	State      market.State `json:"state"`
	Why        string       `json:"why,omitempty"`
	Price      money.Fen    `json:"price"`
	Refunded   money.Fen    `json:"refunded"`
	Commission money.Fen    `json:"commission"`
	Created    time.Time    `json:"created"`
	Modified   time.Time    `json:"modified"`
	Deeds      []Deed       `json:"deeds"`
}

func told(o Order) tale {
	l := o.Line
	return tale{
		o.Network, l.ID, l.Order, l.Goods.ID, l.Goods.Title, l.Quantity, l.State, l.Why,
		l.Price, l.Refunded, l.Commission, l.Created, l.Modified, Deeds(l),
	}
}

// paymentTale is a payment as the API tells it: without its payee.
type paymentTale struct {
	Number string    `json:"number"`
	Amount money.Fen `json:"amount"`
	State  string    `json:"state"`
	At     time.Time `json:"at"`
}

func (w *World) worldAPI(rw http.ResponseWriter, _ *http.Request) {
	orders, all := w.Orders(ordersMax)
	tales := make([]tale, len(orders))
	for i, o := range orders {
		tales[i] = told(o)
	}
	payments := []paymentTale{}
	for _, p := range w.pay.Transfers() {
		if len(payments) < paymentsMax {
			payments = append(payments, paymentTale{p.Number, p.Amount, p.State, p.At})
		}
	}
	networks := map[string]string{}
	for _, s := range w.shops {
		networks[s.Name] = w.Mode(s)
	}
	mode, way := w.pay.Now()
	answer(rw, map[string]any{
		"now": w.Now(), "ahead_seconds": int64(w.clock.ahead() / time.Second), "networks": networks,
		"orders": tales, "orders_in_all": all, "payments": payments, "payer": map[string]string{"mode": mode, "way": way},
	}, nil)
}
