package configs_test

import (
	"strings"
	"testing"
	"time"

	"fanli/configs"
)

// TestLinesByDependency: what is said of one counts more than what is said of its
// kind, and that more than the defaults.
func TestLinesByDependency(t *testing.T) {
	t.Parallel()
	r := load(t, "resilience:\n  defaults: {failures: 7}\n  dependencies:\n    order: {rest: 1m}\n    payer/alipay: {timeout: 9s}\n", none).Resilience
	for name, want := range map[string][3]any{
		"order": {7, time.Minute, 5 * time.Second}, "rebate": {7, 2 * time.Second, 2 * time.Second},
		"payer/alipay": {7, 20 * time.Second, 9 * time.Second}, "payer/wechatpay": {7, 20 * time.Second, 20 * time.Second},
	} {
		if o := r.Line(name); o.Failures != want[0] || o.Rest != want[1] || o.Timeout != want[2] {
			t.Errorf("%s: %+v, want %v", name, o, want)
		}
	}
	if n := len(r.Rungs()); n != 5 {
		t.Errorf("the ladder has %d rungs", n)
	}
}

func TestResilienceWithMistakes(t *testing.T) {
	t.Parallel()
	_, err := configs.Load(file(t, `
resilience:
  defaults: {timeout: 2h}
  dependencies: {network/jd: {rest: 1s}, moon: {rest: 1s}, order: {queue: -1}}
  shed: {concurrent: 1}
  ladder:
    - {name: a, effect: search, load: 80}
    - {name: a, effect: search, load: 80}
    - {name: b, effect: sleep, of: [order]}
    - {name: c, effect: queue, of: [moon]}
`), none)
	if err == nil {
		t.Fatal("it is sound")
	}
	for _, want := range []string{
		"resilience.defaults.timeout: 2h0m0s is not", "network/jd: how networks are called is said in guard", "moon: it is none of",
		"order.queue: -1 is below 0", "resilience.shed.concurrent: 1 is not 4 or more", `two rungs "a"`, `effect "sleep" is none of`, `rung c: "moon" is no target`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}
