package wechatpay_test

import (
	"encoding/json"
	"testing"

	"fanli/adapters/wechatpay"
)

// Whatever a bill holds, it is read whole or refused, and no line is odd.
func FuzzFlow(f *testing.F) {
	f.Add(head + "`2026-11-22 20:00:00,`B1,`1,`商家转账,`转账,`支出,`12.34,`1.00,`x,`y,`F7\r\n" + sum)
	f.Add(head + sum)
	f.Add("记账时间\r\n`1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := wechatpay.Flow(text)
		if err != nil && len(lines) != 0 {
			t.Errorf("%d lines of a bill that is refused", len(lines))
		}
		for _, l := range lines {
			if l.Amount < 0 || l.Number == "" || l.At.IsZero() {
				t.Errorf("an odd line: %+v", l)
			}
		}
	})
}

// What is read as one document is one for every other reader, too.
func FuzzDocument(f *testing.F) {
	f.Add(`{"out_bill_no":"F7","state":"SUCCESS"}`)
	f.Add(`{"a":1,"A":2}`)
	f.Add(`{"a":[{"b":{}},null,1e9]} x`)
	f.Fuzz(func(t *testing.T, text string) {
		var got map[string]any
		if wechatpay.Unmarshal(text, &got) != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("read, but no document: %q", text)
		}
		var again map[string]any
		b, err := json.Marshal(got)
		if err != nil || wechatpay.Unmarshal(string(b), &again) != nil || len(again) != len(got) {
			t.Errorf("%q is read as %v and written as %s, %v", text, got, b, err)
		}
	})
}
