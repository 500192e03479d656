package jd_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fanli/adapters/jd"
	"fanli/core/fault"
)

// A stub answers calls without a network.
type stub func(r *http.Request) (*http.Response, error)

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// stubbed returns a client whose calls are answered by f, which is given the
// parameters.
func stubbed(t testing.TB, c jd.Config, f func(form url.Values) (status int, body string)) *jd.Client {
	t.Helper()
	c.AppKey, c.AppSecret, c.AccessToken = appKey, appSecret, token
	cl, err := jd.New(c, &http.Client{Transport: stub(func(r *http.Request) (*http.Response, error) {
		if err := errors.Join(r.Context().Err(), r.ParseForm()); err != nil {
			return nil, err
		}
		status, body := f(r.Form)
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
	})}, newClock().Now)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// root ends the name of every answer's root.
const root = "_responce" //nolint:misspell // JD's spelling

// ordersRoot is the root of a page of orders.
const ordersRoot = "jd_union_open_order_row_query" + root

// always returns a client that gets the same body for every call; METHOD in it
// stands for the root.
func always(t testing.TB, c jd.Config, body string) *jd.Client {
	t.Helper()
	return stubbed(t, c, func(form url.Values) (int, string) {
		return http.StatusOK, strings.ReplaceAll(body, "METHOD", strings.ReplaceAll(form.Get("method"), ".", "_")+root)
	})
}

// business is a body in which a method answers with a code.
func business(code string) string {
	return `{"METHOD":{"code":"0","xResult":"{\"code\":` + code + `,\"message\":\"出错了\",\"requestId\":\"r1\"}"}}`
}

// wantFault judges an error.
func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("failed with %q because %q, want %q because %q: %v", fault.CodeOf(err), fault.ReasonOf(err), code, reason, err)
	}
	wantSecrets(t, err)
}

func wantSecrets(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{appSecret, token} {
		if err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}
