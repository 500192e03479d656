package gateway_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"fanli/adapters/gateway"
	"fanli/core/fault"
)

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, tt := range []struct {
		body   string
		status int
		reason string
		field  string
	}{
		{`{"method":"alipay","account":"a@example.com","name":"王"}`, 200, "", ""},
		{` {"name":"王", "account":"a@example.com", "method":"alipay"} ` + "\n", 200, "", ""},
		{`{"method":"alipay","account":"a","name":"b","extra":1}`, 422, "api.unknown_field", "extra"},
		{`{"method":"alipay","account":"a","name":"b","Name":"c"}`, 422, "api.unknown_field", "Name"},
		{`{"METHOD":"alipay","account":"a","name":"b"}`, 422, "api.unknown_field", "METHOD"},
		{`{"method":"alipay","account":"a","name":"b","name":"c"}`, 400, "api.duplicate_field", "name"},
		{`{"method":"alipay","account":"a","name":"b","n\u0061me":"c"}`, 400, "api.duplicate_field", "name"},
		{`{"method":"alipay","account":"a"}`, 422, "api.missing_field", "name"},
		{`{"method":"alipay","account":"a","name":null}`, 422, "api.field_type", ""},
		{`{"method":"alipay","account":"a","name":["b"]}`, 422, "api.field_type", "name"},
		{`{"method":"alipay","account":7,"name":"b"}`, 422, "api.field_type", "account"},
		{`{"method":"alipay","account":"a","name":"b"}{}`, 400, "api.trailing", ""},
		{`{"method":"alipay","account":"a","name":"b"} x`, 400, "api.trailing", ""},
		{`{"method":"alipay","account":"a","name":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, 400, "api.too_deep", ""},
		{`{"method":"alipay","account":"a","name":{"x":{"x":1,"x":2}}}`, 400, "api.duplicate_field", "x"},
		{`{"method":"alipay","account":"a","name":"b"`, 400, "api.json", ""},
		{`{"method":"alipay","account":"a","name":"b",}`, 400, "api.json", ""},
		{`{"method":"alipay","account":"a","name":"` + "\xff" + `"}`, 400, "api.json", ""},
		{`[]`, 400, "api.json", ""},
		{`null`, 400, "api.json", ""},
		{`"x"`, 400, "api.json", ""},
		{`{"method":"alipay","account":"a","name":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "api.too_large", ""},
	} {
		r := w.ask(http.MethodPut, gateway.Path+"payee", tt.body, as("acme", "u-7")...)
		if tt.status == 200 {
			if r.Code != 200 {
				t.Errorf("%s: %d %s", tt.body, r.Code, r.Body)
			}
			continue
		}
		wantProblem(t, tt.body[:min(len(tt.body), 80)], r, tt.status, tt.reason, tt.field)
	}
	for _, amount := range []string{"1.5", "1e2", `"100"`, "1.0", "9223372036854775808", "true"} {
		r := w.ask(http.MethodPost, gateway.Path+"withdrawals", `{"amount_fen":`+amount+`}`, append(as("acme", "u-7"), "Idempotency-Key", "abcdefgh")...)
		wantProblem(t, amount, r, 422, "api.field_type", "amount_fen")
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", "application/jsonp", "x;;"} {
		headers := append(as("acme", "u-7"), "Content-Type", kind)
		r := w.askPlain(http.MethodPut, gateway.Path+"payee", `{"method":"alipay","account":"a@example.com","name":"王"}`, headers...)
		wantProblem(t, kind, r, 415, "api.media_type", "Content-Type")
	}
	if r := w.askPlain(http.MethodPut, gateway.Path+"payee", `{"method":"alipay","account":"a@example.com","name":"王"}`,
		append(as("acme", "u-7"), "Content-Type", "application/json; charset=UTF-8")...); r.Code != 200 {
		t.Errorf("with a charset: %d", r.Code)
	}
}

// FuzzDecode: what is taken is one object with known fields, each once, and means to
// us what it means to another reader of JSON.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"amount_fen":100}`, `{"all":true}`, `{"all":true,"all":false}`, `{"amount_fen":1e3}`, `{"ALL":true}`, `{"amount_fen":-0}`,
		`{}`, `{} `, `{}{}`, `[{}]`, `{"all":null}`, `{"a\u006cl":true}`, "{\"\xff\":1}", `{"amount_fen":{"x":[1]}}`, `{"amount_fen":9223372036854775807}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got gateway.WithdrawalRequest
		if err := gateway.DecodeBytes(body, &got); err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || gateway.Texts()[e.Reason][0] == "" {
				t.Fatalf("it is refused with %v", err)
			}
			return
		}
		var other map[string]json.RawMessage
		if err := json.Unmarshal(body, &other); err != nil || !utf8.Valid(body) {
			t.Fatalf("%q is taken, but is no JSON: %v", body, err)
		}
		var again gateway.WithdrawalRequest
		for name, value := range other {
			var err error
			switch name {
			case "amount_fen":
				err = json.Unmarshal(value, &again.Amount)
			case "all":
				err = json.Unmarshal(value, &again.All)
			default:
				t.Fatalf("%q has the field %q", body, name)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got, again) {
			t.Fatalf("%q is %+v, and %+v to others", body, got, again)
		}
	})
}
