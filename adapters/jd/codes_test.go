package jd_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// The three ways into the client, each with answers of its own.
func calls(c *jd.Client) map[string]func(ctx context.Context) error {
	at := newClock().Now()
	return map[string]func(ctx context.Context) error{
		"goods": func(ctx context.Context) error {
			_, err := c.Offer(ctx, link.Ref{Network: "jd", Kind: link.Item, ID: kettle})
			return err
		},
		"promotion": func(ctx context.Context) error {
			_, err := c.Link(ctx, link.Offer{Network: "jd", Material: "https://jingfen.jd.com/detail/a_b.html"}, link.Mark{Tag: "a"})
			return err
		},
		"order": func(ctx context.Context) error {
			_, err := c.Pull(ctx, order.Window{Scene: "update", From: at.Add(-time.Minute), To: at}, "")
			return err
		},
	}
}

func TestMethodCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		call, codes string
		want        fault.Code
		reason      string
	}{
		{"goods", "201 202 1002016", fault.NotFound, "offer.not_in_programme"},
		{"goods", "400 401", fault.Invalid, ""},
		{"goods", "403 408", fault.Denied, ""},
		{"goods", "429", fault.Limited, ""},
		{"goods", "500", fault.Unavailable, ""},
		{"goods", "999 1002021 0", fault.Internal, ""}, // nobody has classified these
		{"order", "2002400", fault.Invalid, ""},
		{"order", "2002401 2002403 2002410", fault.Denied, ""},
		{"order", "2002408 2002500", fault.Unavailable, ""},
		{"order", "2002452", fault.Invalid, "feed.window_too_full"},
		{"order", "2002453", fault.Invalid, "feed.window_too_long"},
		{"order", "2002499", fault.Internal, ""},
		{"promotion", "2001101 2001102 2001702 2001703 2001301 2001303 2001919 2001925 2001932", fault.Invalid, "link.unreadable"},
		{"promotion", "2001104", fault.NotFound, "offer.not_in_programme"},
		{"promotion", "2001105 2001107", fault.Invalid, "link.page_unsupported"},
		{"promotion", "2001201 2001213 2001215 2001216 2001217 2001403 2001501 2001610 2001701", fault.Denied, ""},
		{"promotion", "2001601 2001602 2001603 2001604 2001605 2001606 2001607 2001608", fault.Denied, ""},
		{"promotion", "2001208 2001214 2001918 2001933", fault.Internal, ""}, // ours are always of the right form
		{"promotion", "2001212 2001905 2001906 2001917", fault.Invalid, ""},
		{"promotion", "2001504 2001609 2001904", fault.Unavailable, ""},
		{"promotion", "2006400", fault.Invalid, ""},
		{"promotion", "2006408", fault.Denied, ""},
	}
	for _, tt := range tests {
		for _, code := range strings.Fields(tt.codes) {
			for _, quoted := range []string{code, `\"` + code + `\"`} {
				t.Run(tt.call+code, func(t *testing.T) {
					t.Parallel()
					err := calls(always(t, jd.Config{SceneIDs: []int{1, 2}}, business(quoted)))[tt.call](t.Context())
					wantFault(t, err, tt.want, tt.reason)
					if tt.want != fault.NotFound && (!strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), "出错了") || !strings.Contains(err.Error(), "r1")) {
						t.Errorf("operators cannot tell what JD said: %v", err)
					}
				})
			}
		}
	}
}

func TestGatewayCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		codes string
		want  fault.Code
	}{
		{"2", fault.Limited},
		{"8 12 19 22", fault.Denied},
		{"66 67", fault.Unavailable},
		{"4 5 7 11 14 15 1000", fault.Internal},
	}
	bodies := map[string]string{
		"Root":   `{"error_response":{"code":"CODE","zh_desc":"无效签名 ` + token + `","en_desc":"x","requestId":"r1"}}`,
		"Number": `{"error_response":{"code":CODE,"en_desc":"Invalid Signature"}}`,
		"Outer":  `{"METHOD":{"code":"CODE","zh_desc":"无效签名"}}`,
	}
	for _, tt := range tests {
		for _, code := range strings.Fields(tt.codes) {
			for name, body := range bodies {
				for call, run := range calls(always(t, jd.Config{}, strings.ReplaceAll(body, "CODE", code))) {
					t.Run(name+code+call, func(t *testing.T) {
						t.Parallel()
						err := run(t.Context())
						wantFault(t, err, tt.want, "")
						if !strings.Contains(err.Error(), "gateway code "+code) {
							t.Errorf("operators cannot tell what JD said: %v", err)
						}
					})
				}
			}
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	tests := map[int]fault.Code{
		302: fault.Internal, 404: fault.Internal, 401: fault.Denied, 403: fault.Denied, 408: fault.Unavailable, 429: fault.Limited,
		500: fault.Unavailable, 502: fault.Unavailable, 504: fault.Unavailable,
	}
	for status, want := range tests {
		c := stubbed(t, jd.Config{}, func(url.Values) (int, string) { return status, `{"error_response":{"code":"12"}}` })
		for _, call := range calls(c) {
			wantFault(t, call(t.Context()), want, "")
		}
	}
}

func TestWhatIsNoAnswerIsUnavailable(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	bodies := map[string]string{
		"Nothing":        "",
		"Page":           "<html>系统繁忙</html>",
		"Cut":            `{"METHOD":{"code":"0","queryResult":"{\"code\":200,\"da`,
		"Array":          `[]`,
		"OtherMethod":    `{"jd_union_open_other_response":{"code":"0","queryResult":"{\"code\":200}"}}`,
		"NoResult":       `{"METHOD":{"code":"0"}}`,
		"NoCode":         `{"METHOD":{"code":"0","getResult":"{\"message\":\"ok\"}"}}`,
		"ResultNoJSON":   `{"METHOD":{"code":"0","getResult":"busy"}}`,
		"DataNoList":     `{"METHOD":{"code":"0","getResult":"{\"code\":200,\"data\":17}"}}`,
		"CodeIsObject":   `{"METHOD":{"code":"0","getResult":{"code":{"a":1}}}}`,
		"OuterCodeOdd":   `{"METHOD":{"code":[],"getResult":{"code":200}}}`,
		"MemberTwice":    `{"METHOD":{"code":"0","code":"12","getResult":"{\"code\":200}"}}`,
		"TooDeep":        `{"METHOD":{"code":"0","getResult":` + deep + `}}`,
		"TooLong":        `{"METHOD":"` + strings.Repeat("x", 9<<20) + `"}`,
		"ErrorIsNoError": `{"error_response":17}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, call := range calls(always(t, jd.Config{}, body)) {
				err := call(t.Context())
				if fault.CodeOf(err) != fault.Unavailable {
					t.Errorf("%s: %v, want unavailable", what, err)
				}
				if len(err.Error()) > 1000 {
					t.Errorf("%s: the error is %d bytes long", what, len(err.Error()))
				}
			}
		})
	}
}

func TestTransportErrorsTellNoSecret(t *testing.T) {
	t.Parallel()
	const odd = "token+with/odd=signs"
	c, err := jd.New(jd.Config{AppKey: appKey, AppSecret: appSecret, AccessToken: odd}, &http.Client{
		Transport: stub(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			return nil, errors.Join(err, errors.New("proxy refused: "+string(body)+"\n"+appSecret+strings.Repeat("!", 500)))
		}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range calls(c) {
		err := call(t.Context())
		wantFault(t, err, fault.Unavailable, "")
		if strings.Contains(err.Error(), odd) || strings.Contains(err.Error(), url.QueryEscape(odd)) {
			t.Errorf("%s: the error tells the token: %v", what, err)
		}
		if len(err.Error()) > 1000 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: not fit for a line of a log: %q", what, err)
		}
	}
}

func TestCancellationStaysRecognisable(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := stubbed(t, jd.Config{}, func(url.Values) (int, string) { return 200, "" })
	for what, call := range calls(c) {
		if err := call(ctx); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v, want a cancellation that is unavailable", what, err)
		}
	}
}

// TestRedirectIsNotFollowed: a signed call goes to the host that it was signed
// for, and nowhere else.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	asked := 0
	c, err := jd.New(jd.Config{AppKey: appKey, AppSecret: appSecret}, &http.Client{
		Transport: stub(func(r *http.Request) (*http.Response, error) {
			asked++
			return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"https://evil.example/"}}, Body: http.NoBody, Request: r}, nil
		}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, calls(c)["order"](t.Context()), fault.Internal, "")
	if asked != 1 {
		t.Errorf("%d calls went out, want 1", asked)
	}
}
