package configs_test

import (
	"fmt"
	"strings"
	"testing"

	"fanli/configs"
)

// A knob is a number that an operator sets, with one that is sound.
type knob struct {
	key   string
	good  string
	times string // what a slip of two digits makes of it; "" where that is sound, too
	minus bool   // it may be below zero
}

// knobs are all numbers of money and rates, and the times and counts that move
// money. What is sound a hundred times over is bounded by no rule that we know:
// it says so by an empty field.
var knobs = []knob{
	{key: "rebate.base", good: "70%", times: "7000%"},
	{key: "rebate.fee", good: "10%", times: "1000%"},
	{key: "rebate.levels.1", good: "5%", times: "500%", minus: true},
	{key: "rebate.networks.jd", good: "5%", times: "500%", minus: true},
	{key: "rebate.categories.x", good: "5%", times: "500%", minus: true},
	{key: "rebate.referral.first", good: "10%", times: "1000%"},
	{key: "rebate.referral.second", good: "5%", times: "500%"},
	{key: "rebate.write_off", good: "2000.00", times: "200000.00"},
	{key: "rebate.cap", good: "50.00"},
	{key: "rebate.minimum", good: "1.01", times: "101.00"},
	{key: "rebate.hold_days.default", good: "15", times: "1500"},
	{key: "rebate.hold_days.taobao", good: "15", times: "1500"},
	{key: "withdraw.minimum", good: "10.00", times: "1000.00"}, // above withdraw.maximum
	{key: "withdraw.maximum", good: "501.00", times: "50100.00"},
	{key: "withdraw.auto", good: "20.00", times: "2000.00"},
	{key: "withdraw.day_count", good: "3", times: "300"},
	{key: "withdraw.day_amount", good: "20000.00", times: "2000000.00"},
	{key: "withdraw.payee_day", good: "20000.00", times: "2000000.00"},
	{key: "withdraw.house_day", good: "1000000.00", times: "100000000.00"},
	{key: "withdraw.four_eyes", good: "1000.00", times: "100000.00"},
	{key: "withdraw.risk", good: "60", times: "6000"},
	{key: "withdraw.payer_minimum.wechatpay", good: "1.50", times: "150.00"},
	{key: "networks.jd.final_rate", good: "90", times: "9000"},
	{key: "networks.taobao.service_fee", good: "1000", times: "100000"},
}

// with returns the mistakes of a configuration in which one key has a value. Two
// networks are on, so that their numbers count.
func with(t *testing.T, key, value string) []error {
	t.Helper()
	on := map[string]string{
		"FANLI_NETWORKS_JD_APP_KEY": "k", "FANLI_NETWORKS_JD_APP_SECRET": "s", "FANLI_NETWORKS_TAOBAO_APP_KEY": "1",
		"FANLI_NETWORKS_TAOBAO_APP_SECRET": "s", "FANLI_NETWORKS_TAOBAO_SITE_ID": "1", "FANLI_NETWORKS_TAOBAO_ADZONE_IDS": "1",
	}
	parts, text := strings.Split(key, "."), ""
	for i, p := range parts {
		text += "\n" + strings.Repeat("  ", i) + p + ":"
	}
	_, err := configs.Load(file(t, text+" "+value+"\n"), func(name string) (string, bool) { v, ok := on[name]; return v, ok })
	return configs.Mistakes(err)
}

// oneGoroutine is why the race detector need not look.
const oneGoroutine = "skipped under the race detector: files are read by one goroutine; stage 2 runs it"

// TestFatFingers slips on every knob: two digits too many, the wrong sign, nothing,
// a decimal too many, another way to write numbers. Each is refused by name, and
// the value that was meant is not.
func TestFatFingers(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for _, k := range knobs {
		t.Run(k.key, func(t *testing.T) {
			t.Parallel()
			if errs := with(t, k.key, k.good); len(errs) != 0 {
				t.Fatalf("%s is refused: %v", k.good, errs)
			}
			slips := map[string]string{
				"nothing": `""`, "a blank": `" "`, "a word": "much", "an exponent": "1e2", "a hexadecimal": "0x10", "no number": ".nan",
				"without end": ".inf", "a long number": strings.Repeat("9", 30), "a decimal too many": "1.005", "two values": "[1, 2]",
				"a currency": "¥5", "wide digits": "１５", "a comma for a point": "1,5", "underscores": "1_0", "two signs": "--5",
			}
			if k.times != "" {
				slips["a hundred times as much"] = k.times
			}
			if !k.minus {
				slips["below zero"] = "-" + k.good
			}
			for name, value := range slips {
				errs := with(t, k.key, value)
				if len(errs) != 1 {
					t.Errorf("%s, %s: %v", name, value, errs)
					continue
				}
				named := strings.Contains(errs[0].Error(), k.key) || k.key == "withdraw.minimum" && strings.Contains(errs[0].Error(), "withdraw.m")
				if !named || !strings.Contains(errs[0].Error(), "line ") && !strings.Contains(errs[0].Error(), "withdraw.maximum") {
					t.Errorf("%s, %s: %v does not name key and line", name, value, errs[0])
				}
			}
		})
	}
}

// TestFractionsForPercentages: what a spreadsheet shows as 70 % it writes as 0.7.
func TestFractionsForPercentages(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for _, k := range knobs {
		if !strings.HasSuffix(k.good, "%") {
			continue
		}
		for _, value := range []string{"0.7", "0.05", ".5", "0.99"} {
			if errs := with(t, k.key, value); len(errs) != 1 || !strings.Contains(errs[0].Error(), "write it with %") {
				t.Errorf("%s: %s: %v", k.key, value, errs)
			}
		}
		for _, value := range []string{"0.7%", "0", "1", "0%", "100%", "100"} {
			errs := with(t, k.key, value)
			if k.minus && strings.HasPrefix(value, "100") { // the base is 70 % already
				if len(errs) != 1 || !strings.Contains(errs[0].Error(), "together they can give 170%") {
					t.Errorf("%s: %s: %v", k.key, value, errs)
				}
				continue
			}
			if len(errs) != 0 {
				t.Errorf("%s: %s: %v", k.key, value, errs)
			}
		}
	}
}

// TestEverySlipIsRefusedFromTheEnvironment is the same where there is no file.
func TestEverySlipIsRefusedFromTheEnvironment(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for _, k := range knobs {
		name := "FANLI_" + strings.ToUpper(strings.ReplaceAll(k.key, ".", "_"))
		switch k.key {
		case "rebate.levels.1", "rebate.networks.jd", "rebate.categories.x", "withdraw.payer_minimum.wechatpay":
			continue // these maps are set as a whole
		}
		for _, value := range []string{"", "much", "1.005", "1e2"} {
			_, err := configs.Load("", env(name, value))
			if errs := configs.Mistakes(err); len(errs) != 1 || !strings.Contains(fmt.Sprint(errs), "(from "+name+")") {
				t.Errorf("%s=%q: %v", name, value, errs)
			}
		}
	}
}
