package user_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanli/core/fault"
	"fanli/core/user"
)

func TestPayeesThatNobodyCouldPayAreRefused(t *testing.T) {
	t.Parallel()
	good := user.Payee{Method: "alipay", Account: "13800000000", Name: "张三"}
	with := func(f func(p *user.Payee)) user.Payee {
		p := good
		f(&p)
		return p
	}
	account := func(s string) user.Payee { return with(func(p *user.Payee) { p.Account = s }) }
	name := func(s string) user.Payee { return with(func(p *user.Payee) { p.Name = s }) }
	tests := []struct {
		name   string
		payee  user.Payee
		reason string
	}{
		{"a telephone number", good, ""},
		{"an address", account("zhang.san+x@example.com"), ""},
		{"a WeChat id", with(func(p *user.Payee) { p.Method, p.Account = "wechat", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" }), ""},
		{"the shortest account", account("abcde"), ""},
		{"the longest account", account(strings.Repeat("a", 64)), ""},
		{"a name with a dot", name("阿依古丽·买买提"), ""},
		{"a name with a blank", name("San Zhang"), ""},
		{"the longest name", name(strings.Repeat("张", 32)), ""},

		{"no method", with(func(p *user.Payee) { p.Method = "" }), "payee.method"},
		{"another method", with(func(p *user.Payee) { p.Method = "Alipay" }), "payee.method"},
		{"nothing", user.Payee{}, "payee.method"},
		{"no account", account(""), "payee.account"},
		{"a short account", account("abcd"), "payee.account"},
		{"a long account", account(strings.Repeat("a", 65)), "payee.account"},
		{"an account of two words", account("138000 00000"), "payee.account"},
		{"an account of two lines", account("13800000000\n1"), "payee.account"},
		{"an account with a mark of a page", account("<b>13800000000"), "payee.account"},
		{"an account with a quote", account("13800000000'"), "payee.account"},
		{"an account with an invisible character", account("138\u200b00000000"), "payee.account"},
		{"an account with a wide blank", account("138\u300000000000"), "payee.account"},
		{"an account with a turn of direction", account("\u202e13800000000"), "payee.account"},
		{"an account in wide digits", account("１３８００００００００"), "payee.account"},
		{"an account with a control character", account("13800000000\x00"), "payee.account"},
		{"no name", name(""), "payee.name"},
		{"a blank name", name(" 　"), "payee.name"},
		{"a long name", name(strings.Repeat("张", 33)), "payee.name"},
		{"a name with the number in it", name("张三13800000000"), "payee.name"},
		{"a name of two lines", name("张\n三"), "payee.name"},
		{"a name with a mark of a page", name("<张三>"), "payee.name"},
		{"a name with an invisible character", name("张\u200b三"), "payee.name"},
		{"a name that is no text", name("张\xff"), "payee.name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.payee.Validate()
			if fault.ReasonOf(err) != tt.reason || (err == nil) != (tt.reason == "") {
				t.Fatalf("got %v, want %q", err, tt.reason)
			}
			if err != nil && (!fault.Is(err, fault.Invalid) || len(tt.payee.Account) > 4 && strings.Contains(err.Error(), tt.payee.Account)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAPayeeIsShownSoThatItsOwnerKnowsIt(t *testing.T) {
	t.Parallel()
	tests := []struct{ account, name, want string }{
		{"13800000000", "张三", "138****0000 (*三)"},
		{"zhangsan@example.com", "张三", "zh****an@example.com (*三)"},
		{"zhang.san.1980@example.com", "张三", "zha****1980@example.com (*三)"},
		{"li@example.com", "李四", "l****@example.com (*四)"},
		{"x@example.com", "李四", "****@example.com (*四)"},
		{"@example", "李四", "@e****le (*四)"},
		{"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "王五", "oUp****eS6o (*五)"},
		{"abcde", "王五", "a****  (*五)"},
		{"abcdefgh", "王五", "ab****gh (*五)"},
		{"1234567890", "王五", "12****90 (*五)"},
		{"13800000000", "王", "138****0000 (*)"},
		{"13800000000", "", "138****0000"},
		{"", "", "****"},
	}
	for _, tt := range tests {
		p := user.Payee{Method: "alipay", Account: tt.account, Name: tt.name}
		want := strings.ReplaceAll(tt.want, "  ", " ")
		if got := p.Masked(); got != want {
			t.Errorf("%s of %s is shown as %q, want %q", tt.account, tt.name, got, want)
		}
		if got := p.String(); got != "alipay "+want {
			t.Errorf("String is %q", got)
		}
	}
}

func TestMoreOfAnAccountIsHiddenThanCouldBeGuessed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[a-z]{1,40}`).Draw(t, "account")
		domain := rapid.SampledFrom([]string{"", "@example.com"}).Draw(t, "domain")
		shown := user.Payee{Account: local + domain}.Masked()
		shown = strings.ReplaceAll(strings.TrimSuffix(shown, domain), "*", "")
		if hidden := len(local) - len(shown); hidden < min(4, len(local)-1) {
			t.Fatalf("of %d characters only %d are hidden", len(local), hidden)
		}
	})
}

// whereabouts holds a payee where code may well have it.
type whereabouts struct {
	Payee user.Payee
	Many  []user.Payee
	By    map[string]user.Payee
	To    *user.Payee
}

func TestNoFormatTellsAnAccount(t *testing.T) {
	t.Parallel()
	for _, p := range []user.Payee{
		{Method: "alipay", Account: "13800000000", Name: "张三"},
		{Method: "alipay", Account: "zhangsan@example.com", Name: "San Zhang"},
		{Method: "wechat", Account: "abcde", Name: "王五"},
	} {
		held := whereabouts{p, []user.Payee{p}, map[string]user.Payee{"x": p}, &p}
		var texts []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%10v", "%c"} {
			texts = append(texts, fmt.Sprintf(verb, p), fmt.Sprintf(verb, &p), fmt.Sprintf(verb, held), fmt.Sprintf(verb, []any{p}))
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("payee", "p", p, "to", &p, slog.Group("g", "p", p))
			slog.New(h).With("p", p).Info("payee")
		}
		texts = append(texts, log.String(), fmt.Sprint(p), fmt.Errorf("pay %v", p).Error())
		for _, text := range texts {
			for _, secret := range []string{p.Account, p.Name, fmt.Sprintf("%x", p.Account), fmt.Sprintf("%X", p.Account)} {
				if strings.Contains(text, secret) {
					t.Errorf("%q is told: %s", secret, text)
				}
			}
		}
		if !strings.Contains(log.String(), p.Masked()) {
			t.Errorf("the log does not say %s: %s", p.Masked(), log.String())
		}
	}
}
