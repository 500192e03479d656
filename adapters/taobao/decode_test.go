package taobao_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/taobao"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// canned is a platform that gives a prepared answer to every method.
type canned map[string]string

// RoundTrip answers with the text for the method, or with an error of the
// platform's.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, err
	}
	body, ok := c[form.Get("method")]
	if !ok {
		body = `{"error_response":{"code":22,"msg":"Invalid Method"}}`
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// client returns a client of a canned platform.
func (c canned) client(t testing.TB) *taobao.Client {
	t.Helper()
	cfg := taobao.Config{
		AppKey: "30000001", AppSecret: secret, AdzoneIDs: []string{"333333333", "333333334"}, ServiceFee: fee, Refunds: true, MainSite: true,
		ChannelOrders: true, MemberOrders: true,
	}
	client, err := taobao.New(cfg, &http.Client{Transport: c}, func() time.Time {
		return time.Date(2026, 1, 15, 2, 30, 0, 0, time.UTC)
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	details  = "taobao.tbk.order.details.get"
	refunds  = "taobao.tbk.order.refund.get"
	convert  = "taobao.tbk.dg.general.link.convert"
	itemInfo = "taobao.tbk.item.info.upgrade.get"
	tpwd     = "taobao.tbk.tpwd.create"
)

// morning is the window in which all prepared rows lie.
func morning(scene string) order.Window {
	from := time.Date(2026, 1, 15, 2, 0, 0, 0, time.UTC)
	return order.Window{Scene: scene, From: from, To: from.Add(20 * time.Minute)}
}

// TestAnswers reads every prepared page and compares with the text beside it,
// which is written to be read: run with -update and look at the difference.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for method, scene := range map[string]string{details: taobao.SceneModified, refunds: taobao.SceneRefund} {
		prefix := map[string]string{details: "orders_", refunds: "refunds_"}[method]
		files, err := filepath.Glob("testdata/" + prefix + "*.json")
		if err != nil || len(files) < 5 {
			t.Fatalf("%d answers, %v", len(files), err)
		}
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".json")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := canned{method: file(t, name)}.client(t)
				p, err := c.Pull(t.Context(), morning(scene), "")
				wantGolden(t, name, tell(p, err))
			})
		}
	}
}

func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// tell writes a page for people.
func tell(p order.Page, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error %s %s: %v\n", fault.CodeOf(err), fault.ReasonOf(err), err)
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format("01-02T15:04:05Z")
	}
	for _, r := range p.Revisions {
		fmt.Fprintf(&b, "%s %s order %s parent %q\n", r.Aspect, r.Key, r.Order, r.Parent)
		fmt.Fprintf(&b, "  item %q × %d, %s, shop %q, category %q, image %q\n", r.Item, r.Quantity, r.Title, r.Shop, r.Category, r.Image)
		fmt.Fprintf(&b, "  state %q %s disputed %v, tag %q slot %q\n", r.State, r.Why, r.Disputed, r.Tag, r.Slot)
		fmt.Fprintf(&b, "  price %s refunded %s estimated %s actual %s %v claimed %s\n", r.Price, r.Refunded, r.Estimated, r.Actual, r.ActualKnown, r.Claimed)
		if r.Unsaid {
			b.WriteString("  what is taken back is unsaid\n")
		}
		fmt.Fprintf(&b, "  clicked %s created %s paid %s settled %s modified %s\n", at(r.Clicked), at(r.Created), at(r.PaidAt), at(r.SettledAt), at(r.Modified))
	}
	for _, bad := range p.Bad {
		fmt.Fprintf(&b, "bad %s: %v\n", bad.Key, bad.Err)
	}
	fmt.Fprintf(&b, "next %q\n", p.Next)
	return b.String()
}

func TestOffers(t *testing.T) {
	t.Parallel()
	item := link.Ref{Network: link.Taobao, Kind: link.Item, ID: "aB3dEf6hI9kLm2nO5pQ8sT-uV1wX4yZ7aB0cD3eF6gH9"}
	token := link.Ref{Network: link.Taobao, Kind: link.Token, Token: "AbCdEfGhIjK"}
	tests := []struct {
		name    string
		ref     link.Ref
		answers canned
		code    fault.Code
		reason  string
	}{
		{"details_coupon", item, canned{itemInfo: file(t, "details_coupon")}, "", ""},
		{"details_bare", item, canned{itemInfo: file(t, "details_bare")}, "", ""},
		{"details_absent", item, canned{itemInfo: file(t, "details_absent")}, fault.NotFound, "offer.not_in_programme"},
		{"details_of_others", link.Ref{Kind: link.Item, ID: "712345678901"}, canned{itemInfo: file(t, "details_coupon")}, fault.NotFound, "offer.not_in_programme"},
		{"details_no_price", item, canned{itemInfo: file(t, "details_no_price")}, fault.Unavailable, ""},
		{"convert_coupon", token, canned{convert: file(t, "convert_coupon"), itemInfo: file(t, "details_coupon")}, "", ""},
		{"convert_refused_element", token, canned{convert: file(t, "convert_refused_element")}, fault.Denied, ""},
		{"convert_off_shelf", token, canned{convert: file(t, "convert_off_shelf")}, fault.NotFound, "offer.not_in_programme"},
		{"convert_shop", token, canned{convert: file(t, "convert_shop")}, fault.Invalid, "link.page_unsupported"},
		{"convert_nothing", token, canned{convert: file(t, "convert_nothing")}, fault.Unavailable, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := tt.answers.client(t).Offer(t.Context(), tt.ref)
			if tt.code != "" {
				wantFault(t, err, tt.code, tt.reason)
				return
			}
			must(t, err)
			wantGolden(t, tt.name+"_offer", fmt.Sprintf(
				"%s = %s\n%s, shop %s, category %s, image %s\nprice %s final %s rate %s commission %s\ncoupon %s from %s, %s to %s, %d left %q\n",
				o.Item, o.SameItem, o.Title, o.Shop, o.Category, o.Image, o.Price, o.Final, o.Rate, o.Commission, o.Coupon.Amount, o.Coupon.Threshold,
				o.Coupon.Starts.UTC(), o.Coupon.Ends.UTC(), o.Coupon.Left, o.Coupon.URL))
		})
	}
}

func TestRefsThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for _, ref := range []link.Ref{
		{}, {Kind: link.Order, ID: "4012345678901123456"}, {Kind: link.Other, URL: "https://taobao.com"}, {Kind: link.Activity, URL: "https://ai.taobao.com"},
		{Kind: link.Token, Token: "no token!"}, {Kind: link.Token, URL: "https://m.tb.cn/x"}, {Kind: link.Item, ID: "1,2"},
		{Kind: link.Short, URL: "https://m.tb.cn/" + strings.Repeat("x", 5000)},
	} {
		_, err := canned{}.client(t).Offer(t.Context(), ref)
		wantFault(t, err, fault.Invalid, "link.kind_unsupported")
	}
}

func TestMadeLinks(t *testing.T) {
	t.Parallel()
	o := link.Offer{Item: "aB3dEf6hI9kLm2nO5pQ8sT-uV1wX4yZ7aB0cD3eF6gH9", Title: "短"}
	m := link.Mark{Slot: "333333334"}
	c := canned{convert: strings.ReplaceAll(file(t, "convert_coupon"), "material_url", "item_url")}
	got, err := c.client(t).Link(t.Context(), o, m)
	must(t, err)
	want := link.Made{
		URL:   "https://s.click.taobao.com/DvHjOPu",
		Token: "47￥ CZ3457 p7lAbCdEfG1￥ https://m.tb.cn/h.UAbCdEA  示例酸辣粉六袋装",
	}
	if got != want {
		t.Errorf("with a coupon: %+v", got)
	}

	// No coupon and no 口令 in the answer: the link to the goods, and a 口令 made
	// of its long form.
	bare := `{"data":{"item_url_list":[{"link_info_dto":{"cps_long_url":"//s.click.taobao.com/t?e=demo","coupon_full_tpwd":"--"}}]}}`
	c = canned{convert: bare, tpwd: file(t, "token")}
	got, err = c.client(t).Link(t.Context(), o, m)
	must(t, err)
	want = link.Made{URL: "https://s.click.taobao.com/t?e=demo", Token: "8￥ CZ3457 SIH6XbwRfy1￥ https://m.tb.cn/h.VAbCdEm  示例标题"}
	if got != want {
		t.Errorf("without: %+v", got)
	}

	c[tpwd] = file(t, "token_missing")
	_, err = c.client(t).Link(t.Context(), o, m)
	wantFault(t, err, fault.Unavailable, "")
	c[convert] = `{"data":{"item_url_list":[{"link_info_dto":{}}]}}`
	_, err = c.client(t).Link(t.Context(), o, m)
	wantFault(t, err, fault.NotFound, "offer.not_in_programme")
}

func TestSameItem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"aB3dEf-gH9iJ": "gH9iJ", "zZ9-gH9iJ": "gH9iJ", "712345678901": "712345678901", "": "", "a-b-c": "c",
	} {
		if got := taobao.SameItem(in); got != want {
			t.Errorf("SameItem(%q) = %q, want %q", in, got, want)
		}
	}
}
