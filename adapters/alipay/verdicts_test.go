package alipay_test

import (
	"net/http"
	"strings"
	"testing"

	"fanli/core/withdraw"
)

// codes are the sub codes of transfers as the documentation has them.
//
//nolint:misspell // as Alipay spells them
var codes = map[withdraw.Verdict]string{
	withdraw.Unclear: `isp.unknow-error aop.unknow-error SYSTEM_ERROR REQUEST_PROCESSING DEALING A_NEW_CODE payee_not_exist ORDER_NOT_EXIST
		PAYEE_NOT_EXIST_X XPAYEE_NOT_EXIST [ *`,
	withdraw.Short: `PAYER_BALANCE_NOT_ENOUGH BALANCE_IS_NOT_ENOUGH RESOURCE_LIMIT_EXCEED INST_PAY_UNABLE EXCEED_LIMIT_DM_AMOUNT
		EXCEED_LIMIT_DM_MAX_AMOUNT EXCEED_LIMIT_MM_AMOUNT EXCEED_LIMIT_MM_MAX_AMOUNT EXCEED_LIMIT_DC_RECEIVED EXCEED_LIMIT_UNRN_DM_AMOUNT
		PERM_PAY_CUSTOMER_DAILY_QUOTA_ORG_BALANCE_LIMIT PERM_PAY_USER_MONTH_QUOTA_ORG_BALANCE_LIMIT`,
	withdraw.Dead: `PAYEE_NOT_EXIST PAYEE_ACCOUNT_NOT_EXSIT PAYEE_ACCOUNT_STATUS_ERROR PAYEE_USERINFO_STATUS_ERROR PAYEE_USER_TYPE_ERROR
		PAYEE_ACC_OCUPIED PAYEE_NOT_RELNAME_CERTIFY PERMIT_NON_BANK_LIMIT_PAYEE PERM_AML_NOT_REALNAME_REV RELEASE_USER_FORBBIDEN_RECIEVE
		BLOCK_USER_FORBBIDEN_RECIEVE EXCEED_LIMIT_SM_MIN_AMOUNT EXCEED_LIMIT_PERSONAL_SM_AMOUNT REMARK_HAS_SENSITIVE_WORD`,
	withdraw.Barred: `INVALID_PARAMETER PARAM_ILLEGAL SIGN_ERROR SIGN_NOT_MATCH ISV_AUTH_ERROR PRODUCT_NOT_SIGN NOT_IN_WHITE_LIST
		PAYER_STATUS_ERROR PAYCARD_UNABLE_PAYMENT MONEY_PAY_CLOSED PAYMENT_INFO_INCONSISTENCY BIZ_UNIQUE_EXCEPTION SECURITY_CHECK_FAILED
		USER_RISK_FREEZE`,
}

// Each documented code means what the documentation says, over the wire, and
// leaves nothing in the gateway's book.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	for verdict, list := range codes {
		for _, code := range strings.Fields(list) {
			fake.Refuse(code)
			o, err := c.Send(t.Context(), payment)
			if err != nil || o.Verdict != verdict || !strings.HasPrefix(o.Reason, "payout.") {
				t.Errorf("%s: %+v, %v; want %s", code, o, err, verdict)
			}
		}
	}
	if got := fake.Transfers(); len(got) != 0 {
		t.Errorf("booked %v", got)
	}
}

// A payee that is refused when a transfer is repeated may have been paid by the
// first request: nothing is dead before the number was asked about.
func TestRefusalOfARepetition(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]withdraw.Verdict{"SUCCESS": withdraw.Done, "DEALING": withdraw.Busy, "FAIL": withdraw.Dead, "?": withdraw.Unclear} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			c := client(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.PostFormValue("method") == "alipay.fund.trans.uni.transfer" {
					_, _ = w.Write(keys(t).Signed(transferNode, `{"code":"40004","sub_code":"PAYEE_ACCOUNT_STATUS_ERROR"}`))
					return
				}
				_, _ = w.Write(keys(t).Signed(queryNode, `{"code":"10000","out_biz_no":"FW7","status":"`+status+`"}`))
			})))
			if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != want {
				t.Errorf("Send = %+v, %v; want %s", o, err, want)
			}
		})
	}
}

// A refusal of the payee counts with the code of a refused business only, and a
// call too many is one whatever stands beside it.
func TestCodesOfTheWholeAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code, sub string
		want      withdraw.Verdict
	}{
		{"40004", "PAYEE_NOT_EXIST", withdraw.Dead},
		{"20000", "PAYEE_NOT_EXIST", withdraw.Unclear},
		{"40002", "PAYEE_NOT_EXIST", withdraw.Unclear},
		{"", "PAYEE_NOT_EXIST", withdraw.Unclear},
		{"40005", "", withdraw.Short},
		{"40005", "isv.app-call-limited", withdraw.Short},
		{"10003", "", withdraw.Unclear},
		{"40006", "isv.insufficient-isv-permissions", withdraw.Unclear},
	}
	for _, tt := range tests {
		t.Run(tt.code+tt.sub, func(t *testing.T) {
			t.Parallel()
			c := client(t, says(t, transferNode, map[string]string{"code": tt.code, "sub_code": tt.sub}))
			o, err := c.Send(t.Context(), payment)
			if err != nil || o.Verdict != tt.want {
				t.Errorf("Send = %+v, %v; want %s", o, err, tt.want)
			}
		})
	}
}

// What a query is refused with says nothing about the transfer; what it finds
// does.
func TestAnswersToQueries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		says map[string]string
		want withdraw.Verdict
	}{
		{"nothing", map[string]string{"code": "40004", "sub_code": "ORDER_NOT_EXIST"}, withdraw.Absent},
		{"nothing, with another code", map[string]string{"code": "20000", "sub_code": "ORDER_NOT_EXIST"}, withdraw.Unclear},
		{"no payee", map[string]string{"code": "40004", "sub_code": "PAYEE_NOT_EXIST"}, withdraw.Unclear},
		{"no money", map[string]string{"code": "40004", "sub_code": "BALANCE_IS_NOT_ENOUGH"}, withdraw.Unclear},
		{"too often", map[string]string{"code": "40005"}, withdraw.Unclear},
		{"no right", map[string]string{"code": "40004", "sub_code": "ISV_AUTH_ERROR"}, withdraw.Barred},
		{"paid", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "SUCCESS"}, withdraw.Done},
		{"under way", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "DEALING"}, withdraw.Busy},
		{"failed", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "FAIL", "error_code": "PAYEE_ACC_OCUPIED"}, withdraw.Dead},
		{"failed for want of money", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "FAIL", "error_code": "BALANCE_IS_NOT_ENOUGH"}, withdraw.Dead},
		{"came back", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "REFUND"}, withdraw.Dead},
		{"another product's", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "WAIT_PAY"}, withdraw.Unclear},
		{"a new state", map[string]string{"code": "10000", "out_biz_no": "FW7", "status": "success"}, withdraw.Unclear},
		{"another number", map[string]string{"code": "10000", "out_biz_no": "FW8", "status": "SUCCESS"}, withdraw.Unclear},
		{"another number's failure", map[string]string{"code": "10000", "out_biz_no": "FW8", "status": "FAIL"}, withdraw.Unclear},
		{"no number", map[string]string{"code": "10000", "status": "SUCCESS"}, withdraw.Unclear},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, says(t, queryNode, tt.says))
			o, err := c.Query(t.Context(), "FW7")
			if err != nil || o.Verdict != tt.want {
				t.Errorf("Query = %+v, %v; want %s", o, err, tt.want)
			}
		})
	}
}

// The sum of a payment is handed on, so that another payment's is not taken for it.
func TestTheSumThatTheGatewaySays(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]withdraw.Outcome{
		``:                         {Verdict: withdraw.Done},
		`,"trans_amount":"12.34"`:  {Verdict: withdraw.Done, Amount: 1234},
		`,"trans_amount":"12.345"`: {Verdict: withdraw.Unclear, Reason: "payout.unclear"},
	} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			c := client(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(keys(t).Signed(queryNode, `{"code":"10000","out_biz_no":"FW7","status":"SUCCESS"`+said+`}`))
			})))
			if o, err := c.Query(t.Context(), "FW7"); err != nil || o != want {
				t.Errorf("Query = %+v, %v; want %+v", o, err, want)
			}
		})
	}
}
