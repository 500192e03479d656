package wechatpay

import (
	"net/http"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// The states of a bill, in WeChat's spelling.
const (
	stateAccepted   = "ACCEPTED"
	stateProcessing = "PROCESSING"
	stateWait       = "WAIT_USER_CONFIRM"
	stateTransfer   = "TRANSFERING" //nolint:misspell // WeChat writes it so
	stateSuccess    = "SUCCESS"
	stateFail       = "FAIL"
	stateCanceling  = "CANCELING"
	stateCancelled  = "CANCELLED"
)

// states says what a bill's state means. A state that is not here is unclear.
var states = map[string]withdraw.Verdict{
	stateAccepted:   withdraw.Busy,
	stateProcessing: withdraw.Busy,
	stateWait:       withdraw.Waiting,
	stateTransfer:   withdraw.Busy,
	stateCanceling:  withdraw.Busy,
	stateSuccess:    withdraw.Done,
	stateFail:       withdraw.Dead,
	stateCancelled:  withdraw.Dead,
}

// failReasons say to people why a bill failed. All of them are final; one that is
// not here is "payout.refused".
var failReasons = map[string]string{
	"OVERDUE_CLOSE":        "payout.wechat_expired",
	"MERCHANT_NOT_CONFIRM": "payout.wechat_expired",
	"MCH_CANCEL":           "payout.wechat_called_back",

	"ACCOUNT_FROZEN":                       "payout.wechat_account",
	"ACCOUNT_NOT_EXIST":                    "payout.wechat_account",
	"OPENID_INVALID":                       "payout.wechat_account",
	"PAYEE_ACCOUNT_ABNORMAL":               "payout.wechat_account",
	"PAYEE_ACCOUNT_NOT_EXIST":              "payout.wechat_account",
	"PAYEE_STATUS_ABNORMAL":                "payout.wechat_account",
	"RESERVATION_USER_ABNORMAL":            "payout.wechat_account",
	"BANK_CARD_ACCOUNT_ABNORMAL":           "payout.wechat_account",
	"BANK_CARD_BANK_INFO_WRONG":            "payout.wechat_account",
	"BANK_CARD_CARD_INFO_WRONG":            "payout.wechat_account",
	"BANK_CARD_COLLECTIONS_LIMIT_EXCEEDED": "payout.wechat_limit",
	"BANK_CARD_PARAM_ERROR":                "payout.wechat_account",
	"BANK_CARD_STATUS_ABNORMAL":            "payout.wechat_account",

	"NAME_NOT_CORRECT":           "payout.wechat_name",
	"ID_CARD_NOT_CORRECT":        "payout.wechat_name",
	"REAL_NAME_CHECK_FAIL":       "payout.wechat_real_name",
	"REALNAME_NOT_VERIFIED":      "payout.wechat_real_name",
	"RESERVATION_NAME_NOT_MATCH": "payout.wechat_name",

	"TRANSFER_QUOTA_EXCEED":                           "payout.wechat_limit",
	"DAY_RECEIVED_QUOTA_EXCEED":                       "payout.wechat_limit",
	"DAY_RECEIVED_COUNT_EXCEED":                       "payout.wechat_limit",
	"MONTH_RECEIVED_QUOTA_EXCEED":                     "payout.wechat_limit",
	"BLOCK_B2C_USERLIMITAMOUNT_MONTH":                 "payout.wechat_limit",
	"BLOCK_B2C_USERLIMITAMOUNT_BSRULE_MONTH":          "payout.wechat_limit",
	"REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED":          "payout.wechat_limit",
	"RESERVATION_RECEIVED_QUOTA_EXCEED":               "payout.wechat_limit",
	"ESTABLISHED_AMOUNT_EXCEED_RECEIVED_QUOTA_EXCEED": "payout.wechat_limit",

	"PAYER_ACCOUNT_ABNORMAL":     "payout.refused",
	"PRODUCT_AUTH_CHECK_FAIL":    "payout.refused",
	"MERCHANT_REJECT":            "payout.refused",
	"TRANSFER_REMARK_SET_FAIL":   "payout.refused",
	"TRANSFER_RISK":              "payout.wechat_risk",
	"RESERVATION_INFO_NOT_MATCH": "payout.refused",
	"RESERVATION_SCENE_INVALID":  "payout.refused",
	"RESERVATION_EXPIRED":        "payout.wechat_expired",
	"OTHER_FAIL_REASON_TYPE":     "payout.refused",
}

// sendCodes say what refusals of a new bill mean. They are not authenticated, so
// none of them ends a payment; one that is not here is unclear.
var sendCodes = map[string]withdraw.Outcome{
	"NOT_ENOUGH":              {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"QUOTA_EXCEED":            {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"QUOTA_EXCEEDED":          {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"MCH_QUOTA_EXCEED":        {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"FREQUENCY_LIMITED":       {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"FREQUENCY_LIMIT_EXCEED":  {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"RATELIMIT_EXCEEDED":      {Verdict: withdraw.Short, Reason: "payout.wechat_short"},
	"NO_AUTH":                 {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"PARAM_ERROR":             {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"SIGN_ERROR":              {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"INVALID_REQUEST":         {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"APPID_MCHID_NOT_MATCH":   {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"ACCOUNT_ERROR":           {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"RESOURCE_ALREADY_EXISTS": {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"USER_ERROR":              {Verdict: withdraw.Barred, Reason: "payout.wechat_account"},
	"OPENID_ERROR":            {Verdict: withdraw.Barred, Reason: "payout.wechat_account"},
}

// queryCodes say what refusals of a query mean. That a number is not found may
// mean that it is still being accepted: sending it again is safe.
var queryCodes = map[string]withdraw.Outcome{
	"NOT_FOUND":             {Verdict: withdraw.Absent},
	"NO_AUTH":               {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"PARAM_ERROR":           {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"SIGN_ERROR":            {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"INVALID_REQUEST":       {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
	"APPID_MCHID_NOT_MATCH": {Verdict: withdraw.Barred, Reason: "payout.wechat_barred"},
}

// refusal reads an answer whose status is not 2xx. Servers that are in trouble
// know nothing, whatever code they write.
func refusal(codes map[string]withdraw.Outcome, a reply) withdraw.Outcome {
	o, ok := codes[a.code()]
	if !ok || a.status >= http.StatusInternalServerError || a.status < http.StatusBadRequest {
		return withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.unclear"}
	}
	return o
}

// verdict reads what a signed answer says about a bill.
func verdict(b bill) (withdraw.Outcome, error) {
	v, ok := states[b.State]
	if !ok {
		return withdraw.Outcome{}, fault.Newf(fault.Unavailable, "payout.unclear", "a state that we do not know")
	}
	o := withdraw.Outcome{Verdict: v, Receipt: b.BillNo, Amount: b.Amount}
	switch {
	case b.State == stateCancelled:
		o.Reason = "payout.wechat_called_back"
	case v == withdraw.Dead:
		o.Reason = "payout.refused"
		if r, ok := failReasons[b.FailReason]; ok {
			o.Reason = r
		}
	case v == withdraw.Waiting:
		if b.Package == "" {
			return withdraw.Outcome{}, fault.Newf(fault.Unavailable, "payout.unclear", "a bill that waits, without its package")
		}
		o.Confirm = b.Package
	}
	return o, nil
}
