package manual_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanli/adapters/manual"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/withdraw"
)

var update = flag.Bool("update", false, "write the golden files anew")

// paid are withdrawals with everything that could go wrong in a spreadsheet.
func paid() []withdraw.Withdrawal {
	var out []withdraw.Withdrawal
	for i, p := range []user.Payee{
		{Method: "alipay", Account: "13800000000", Name: "张三"},
		{Method: "alipay", Account: "+8613800000001", Name: "=HYPERLINK(1)"},
		{Method: "alipay", Account: "@example.com", Name: "-李"},
		{Method: "alipay", Account: "a,b@example.com", Name: "O\"Neil"},
	} {
		out = append(out, withdraw.Withdrawal{ID: int64(i + 1), Number: fmt.Sprint("FW", i+1), Payee: p, Amount: 12_30})
	}
	return out
}

// TestABatchIsAsItWas: the file is the golden one, byte for byte, and its sum is
// that of its bytes.
func TestABatchIsAsItWas(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	sum, err := manual.WriteBatch(&b, paid())
	if err != nil {
		t.Fatal(err)
	}
	if h := sha256.Sum256(b.Bytes()); sum != hex.EncodeToString(h[:]) {
		t.Errorf("the sum is %s", sum)
	}
	path := filepath.Join("testdata", "batch.csv")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the file is\n%s\nwant\n%s", b.Bytes(), want)
	}
	if !bytes.HasPrefix(want, []byte("\xef\xbb\xbf")) {
		t.Error("a spreadsheet would not take it for UTF-8")
	}
	for _, cell := range strings.FieldsFunc(string(want), func(r rune) bool { return r == ',' || r == '\n' }) {
		if strings.ContainsAny(strings.Trim(cell, "\"")[:1], "=+-@") {
			t.Errorf("a spreadsheet would run %q", cell)
		}
	}
}

func TestResultsAreRead(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join("testdata", "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := manual.ReadResults(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []withdraw.Result{
		{Number: "FW1", Amount: 12_30, Said: withdraw.Done},
		{Number: "FW2", Amount: 12_30, Said: withdraw.Dead, Reason: "payout.name_mismatch"},
		{Number: "FW3", Amount: 1_234_50, Said: withdraw.Unclear},
		{Number: "FW4", Amount: 12_30, Said: withdraw.Dead, Reason: "payout.refused"},
		{Number: "FW5", Amount: 12_00, Said: withdraw.Done},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read is\n%v, want\n%v", got, want)
	}
}

// TestAFileThatCannotBeUnderstood counts for nothing, and says where.
func TestAFileThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	const head = "number,amount,result\n"
	for name, tt := range map[string]struct{ text, part string }{
		"nothing":          {"", "line 1"},
		"no result column": {"number,amount\nFW1,1.00\n", "no column 结果"},
		"no amount":        {head + "FW1,1.00,成功\nFW2,,成功\n", "line 3"},
		"three decimals":   {head + "FW1,1.005,成功\n", "line 2"},
		"below zero":       {head + "FW1,-1.00,成功\n", "line 2"},
		"no number":        {head + ",1.00,成功\n", "line 2"},
		"too few columns":  {head + "FW1,1.00\n", "line 2"},
		"an open quote":    {head + "FW1,\"1.00,成功\n", "line"},
	} {
		got, err := manual.ReadResults(strings.NewReader(tt.text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.part) || got != nil {
			t.Errorf("%s: %v, %v; want an error with %q", name, got, err, tt.part)
		}
	}
}
