package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"fanli/core/access"
)

// An endpoint is one thing that can be asked. The table of them is all there is: by
// it requests are routed, let in and read, and the document is written.
type endpoint struct {
	name    string // in the document
	method  string
	path    string
	summary string

	open   bool         // anybody may ask
	scope  access.Scope // "": whoever has a key or a token
	acts   bool         // it is done for a user
	paged  bool         // a list, asked for by limit and cursor
	once   bool         // it needs an Idempotency-Key
	body   reflect.Type // nil: none
	answer reflect.Type // nil: not JSON of ours
	also   int          // another status than 200 that it may have, 0 for none
	does   func(a *API, c *call) (any, error)
}

// A call is one request that was let in.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	caller caller
	user   int64 // for whom it is
	body   any   // a pointer to the endpoint's
	key    string
	count  int
	before int64
	status int
}

func (c *call) ctx() context.Context { return c.r.Context() }

// id reads the number in the path.
func (c *call) id() (int64, error) {
	text := c.r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return 0, refuse(http.StatusNotFound, "api.id", "id")
	}
	return id, nil
}

func is[T any]() reflect.Type { return reflect.TypeFor[T]() }

// endpoints returns the table, with whole paths.
func endpoints() []endpoint {
	all := table()
	for i := range all {
		all[i].path = Path + all[i].path
	}
	return all
}

func table() []endpoint {
	const get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	return []endpoint{
		{name: "getHealth", method: get, path: "health", summary: "Whether the API answers", open: true, answer: is[Health](), does: (*API).health},
		{name: "getDocument", method: get, path: "openapi.json", summary: "This document", open: true, does: (*API).serveDocument},
		{name: "getCaller", method: get, path: "me", summary: "Who asks, and what they may do", answer: is[Caller](), does: (*API).me},
		{
			name: "makeUser", method: post, path: "users", summary: "Make a user of the client, or find the one who is there",
			scope: access.UsersWrite, body: is[UserRequest](), answer: is[User](), also: http.StatusCreated, does: (*API).makeUser,
		},
		{
			name: "makeLinks", method: post, path: "links", summary: "Find offers for what somebody has copied, and make their links",
			scope: access.LinksWrite, acts: true, body: is[LinkRequest](), answer: is[Links](), does: (*API).makeLinks,
		},
		{
			name: "listOrders", method: get, path: "orders", summary: "The user's order lines with their rebates, newest first",
			scope: access.OrdersRead, acts: true, paged: true, answer: is[Orders](), does: (*API).orders,
		},
		{
			name: "getOrder", method: get, path: "orders/{id}", summary: "One order line with how its rebate is computed",
			scope: access.OrdersRead, acts: true, answer: is[Order](), does: (*API).order,
		},
		{
			name: "getWallet", method: get, path: "wallet", summary: "Where the user's money is",
			scope: access.WalletRead, acts: true, answer: is[Wallet](), does: (*API).wallet,
		},
		{
			name: "getStatement", method: get, path: "statement", summary: "Every move of the user's money, newest first",
			scope: access.WalletRead, acts: true, paged: true, answer: is[Statement](), does: (*API).statement,
		},
		{
			name: "listWithdrawals", method: get, path: "withdrawals", summary: "The user's withdrawals, newest first",
			scope: access.WithdrawalsRead, acts: true, paged: true, answer: is[Withdrawals](), does: (*API).withdrawals,
		},
		{
			name: "requestWithdrawal", method: post, path: "withdrawals", summary: "Withdraw money; with the same Idempotency-Key once",
			scope: access.WithdrawalsWrite, acts: true, once: true, body: is[WithdrawalRequest](), answer: is[Withdrawal](), also: http.StatusCreated,
			does: (*API).withdraw,
		},
		{
			name: "cancelWithdrawal", method: post, path: "withdrawals/{id}/cancel", summary: "Take a withdrawal back that was not sent yet",
			scope: access.WithdrawalsWrite, acts: true, answer: is[Withdrawal](), does: (*API).cancelWithdrawal,
		},
		{
			name: "listClaims", method: get, path: "claims", summary: "The user's claims of orders, newest first",
			scope: access.ClaimsRead, acts: true, paged: true, answer: is[Claims](), does: (*API).claims,
		},
		{
			name: "claimOrder", method: post, path: "claims", summary: "Say that an order is the user's",
			scope: access.ClaimsWrite, acts: true, body: is[ClaimRequest](), answer: is[Claim](), does: (*API).claim,
		},
		{
			name: "proveClaim", method: post, path: "claims/{id}/proof", summary: "Say what was paid for a claimed order, and when",
			scope: access.ClaimsWrite, acts: true, body: is[ProofRequest](), answer: is[Claim](), does: (*API).prove,
		},
		{
			name: "appealClaim", method: post, path: "claims/{id}/appeal", summary: "Ask for a person to look at a claim again",
			scope: access.ClaimsWrite, acts: true, body: is[AppealRequest](), answer: is[Claim](), does: (*API).appeal,
		},
		{
			name: "getPayee", method: get, path: "payee", summary: "The user's payout account, masked",
			scope: access.PayeeRead, acts: true, answer: is[Payee](), does: (*API).payee,
		},
		{
			name: "setPayee", method: put, path: "payee", summary: "Change the user's payout account",
			scope: access.PayeeWrite, acts: true, body: is[PayeeRequest](), answer: is[Payee](), does: (*API).setPayee,
		},
	}
}

// serve is the way of every request to an endpoint.
func (a *API) serve(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, status: http.StatusOK}
		from := a.o.Now()
		out, err := a.pass(e, c)
		if err != nil {
			a.problem(w, r, err)
			return
		}
		if e.answer != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			_ = json.NewEncoder(w).Encode(out) // the other side has gone: nobody to tell
		}
		a.o.Log.Debug("a request was fulfilled", "request", RequestID(r.Context()), "pattern", r.Pattern, "caller", c.caller.kind+"/"+c.caller.client,
			"status", c.status, "took", a.o.Now().Sub(from).Round(time.Millisecond))
	}
}

// pass lets a request through, gate by gate, and does what is asked.
func (a *API) pass(e endpoint, c *call) (any, error) {
	ctx := c.ctx()
	if err := a.within(ctx, "api/address/"+network(Address(ctx)), a.o.Limits.Address); err != nil {
		return nil, err
	}
	if err := a.admit(e, c); err != nil {
		return nil, err
	}
	if err := c.query(e); err != nil {
		return nil, err
	}
	if e.acts {
		var err error
		if c.user, err = a.actor(c.r, c.caller); err != nil {
			return nil, err
		}
		if err := a.within(ctx, "api/user/"+strconv.FormatInt(c.user, 10), a.o.Limits.User); err != nil {
			return nil, err
		}
	}
	if e.once {
		if c.key = c.r.Header.Get("Idempotency-Key"); !visible(c.key, idempotencyMin) {
			return nil, refuse(http.StatusBadRequest, "api.idempotency_key", "Idempotency-Key")
		}
	}
	if e.body == nil {
		if c.r.ContentLength != 0 {
			return nil, refuse(http.StatusBadRequest, "api.no_body", "")
		}
		return e.does(a, c)
	}
	body := reflect.New(e.body).Interface()
	if err := decode(c.r, c.w, body); err != nil {
		return nil, err
	}
	c.body = body
	return e.does(a, c)
}

// idempotencyMin is the least of an Idempotency-Key: shorter ones come twice.
const idempotencyMin = 8

// admit lets in who may ask this.
func (a *API) admit(e endpoint, c *call) (err error) {
	if e.open {
		return nil
	}
	if c.caller, err = a.authenticate(c.r); err != nil {
		return err
	}
	if err := a.within(c.ctx(), "api/"+c.caller.name, a.o.Limits.Caller); err != nil {
		return err
	}
	if e.scope != "" && !c.caller.has(e.scope) {
		return refuse(http.StatusForbidden, "api.scope", string(e.scope))
	}
	return nil
}

// query reads the parameters of lists, and refuses others.
func (c *call) query(e endpoint) (err error) {
	var names []string
	if e.paged {
		names = append(names, "limit", "cursor")
	}
	values, err := parseQuery(c.r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "api.query", "")
	}
	for name, said := range values {
		if !slices.Contains(names, name) || len(said) != 1 {
			return refuse(http.StatusBadRequest, "api.query", brief(name))
		}
	}
	c.count = countDefault
	if said, ok := values["limit"]; ok {
		if c.count, err = strconv.Atoi(said[0]); err != nil || c.count < 1 || c.count > countMax {
			return refuse(http.StatusBadRequest, "api.page_size", "limit")
		}
	}
	if said, ok := values["cursor"]; ok {
		if c.before, ok = cutCursor(said[0]); !ok {
			return refuse(http.StatusBadRequest, "api.cursor", "cursor")
		}
	}
	return nil
}
