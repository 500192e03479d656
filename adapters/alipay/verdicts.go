package alipay

import (
	"path"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The codes of a whole answer.
const (
	codeSuccess = "10000"
	codeRefused = "40004" // the business refused; the sub code says why
	codeTooMany = "40005" // called too often
)

// The stable keys of what people read.
const (
	reasonUnclear     = "payout.unclear"
	reasonHeld        = "payout.held"
	reasonShort       = "payout.short"
	reasonBarred      = "payout.barred"
	reasonReused      = "payout.number_reused"
	reasonRefused     = "payout.refused"
	reasonCameBack    = "payout.came_back"
	reasonNoAccount   = "payout.no_such_account"
	reasonName        = "payout.name_mismatch"
	reasonBlocked     = "payout.account_blocked"
	reasonNotVerified = "payout.not_verified"
	reasonTooLittle   = "payout.too_little"
	reasonOverLimit   = "payout.over_limit"
)

// A ruling is what a sub code means for the transfer that was asked for. Codes
// are as Alipay spells them; a star stands for any letters.
type ruling struct {
	code    string
	verdict withdraw.Verdict
	reason  string
}

// rulings are read from the top. What is not here is Unclear: the number is asked
// about, and the identical request repeated.
var rulings = []ruling{
	// It may have been taken.
	{"isp.unknow-error", withdraw.Unclear, reasonUnclear},
	{"aop.unknow-error", withdraw.Unclear, reasonUnclear},
	{"SYSTEM_ERROR", withdraw.Unclear, reasonUnclear},
	{"REQUEST_PROCESSING", withdraw.Unclear, reasonUnclear},
	{"DEALING", withdraw.Unclear, reasonUnclear},

	// Later, under the same number: our money there, or its machines, are used up.
	{"PAYER_BALANCE_NOT_ENOUGH", withdraw.Short, reasonShort},
	{"BALANCE_IS_NOT_ENOUGH", withdraw.Short, reasonShort},
	{"RESOURCE_LIMIT_EXCEED", withdraw.Short, reasonShort},
	{"INST_PAY_UNABLE", withdraw.Short, reasonShort},

	// Another day, under the same number: a limit of a day or a month.
	{"EXCEED_LIMIT_DM_AMOUNT", withdraw.Short, reasonShort},
	{"EXCEED_LIMIT_DM_MAX_AMOUNT", withdraw.Short, reasonShort},
	{"EXCEED_LIMIT_MM_*", withdraw.Short, reasonShort},
	{"EXCEED_LIMIT_DC_RECEIVED", withdraw.Short, reasonShort},
	{"EXCEED_LIMIT_UNRN_DM_AMOUNT", withdraw.Short, reasonShort},
	{"PERM_PAY_*_QUOTA_*", withdraw.Short, reasonShort},

	// Never to this payee, or not this transfer.
	{"PAYEE_NOT_EXIST", withdraw.Dead, reasonName}, // no such account, or not of that name
	{"PAYEE_ACCOUNT_NOT_EXSIT", withdraw.Dead, reasonNoAccount},
	{"PAYEE_ACCOUNT_STATUS_ERROR", withdraw.Dead, reasonBlocked},
	{"PAYEE_USERINFO_STATUS_ERROR", withdraw.Dead, reasonBlocked},
	{"PAYEE_USER_TYPE_ERROR", withdraw.Dead, reasonBlocked},
	{"PAYEE_ACC_OCUPIED", withdraw.Dead, reasonName}, // several accounts; the name decides
	{"PAYEE_NOT_RELNAME_CERTIFY", withdraw.Dead, reasonNotVerified},
	{"PERMIT_NON_BANK_LIMIT_PAYEE", withdraw.Dead, reasonNotVerified},
	{"PERM_AML_NOT_REALNAME_REV", withdraw.Dead, reasonNotVerified},
	{"RELEASE_USER_FORBBIDEN_RECIEVE", withdraw.Dead, reasonBlocked}, //nolint:misspell // as Alipay spells it
	{"BLOCK_USER_FORBBIDEN_RECIEVE", withdraw.Dead, reasonBlocked},   //nolint:misspell // the same
	{"EXCEED_LIMIT_SM_MIN_AMOUNT", withdraw.Dead, reasonTooLittle},
	{"EXCEED_LIMIT_PERSONAL_SM_AMOUNT", withdraw.Dead, reasonOverLimit},
	{"REMARK_HAS_SENSITIVE_WORD", withdraw.Dead, reasonRefused},

	// Us, not the payee.
	{"INVALID_PARAMETER", withdraw.Barred, reasonBarred},
	{"PARAM_ILLEGAL", withdraw.Barred, reasonBarred},
	{"SIGN_*", withdraw.Barred, reasonBarred},
	{"ISV_AUTH_ERROR", withdraw.Barred, reasonBarred},
	{"PRODUCT_NOT_SIGN", withdraw.Barred, reasonBarred},
	{"NOT_IN_WHITE_LIST", withdraw.Barred, reasonBarred},
	{"PAYER_STATUS_ERROR", withdraw.Barred, reasonBarred},
	{"PAYCARD_UNABLE_PAYMENT", withdraw.Barred, reasonBarred},
	{"MONEY_PAY_CLOSED", withdraw.Barred, reasonBarred},
	{"PAYMENT_INFO_INCONSISTENCY", withdraw.Barred, reasonReused},
	{"BIZ_UNIQUE_EXCEPTION", withdraw.Barred, reasonReused},
	{"SECURITY_CHECK_FAILED", withdraw.Barred, reasonBarred},
	{"USER_RISK_FREEZE", withdraw.Barred, reasonBarred},
}

// absent is the sub code of a query that finds nothing. It says something about
// a query only.
const absent = "ORDER_NOT_EXIST"

// find returns the ruling on a sub code.
func find(code string) (r ruling, ok bool) {
	for _, r := range rulings {
		if hit, err := path.Match(r.code, code); err == nil && hit {
			return r, true
		}
	}
	return ruling{}, false
}

var unclear = withdraw.Outcome{Verdict: withdraw.Unclear, Reason: reasonUnclear}

// refusal is what a signed answer other than success says about the transfer
// that was asked for.
func refusal(r result) withdraw.Outcome {
	if r.Code == codeTooMany {
		return withdraw.Outcome{Verdict: withdraw.Short, Reason: reasonShort}
	}
	rule, ok := find(r.SubCode)
	if !ok || rule.verdict == withdraw.Dead && r.Code != codeRefused {
		return unclear
	}
	return withdraw.Outcome{Verdict: rule.verdict, Reason: rule.reason}
}

// unanswered is what a signed answer other than success says about a number that
// was asked about. Codes are then about the question, so that hardly any of them
// says something about the transfer.
func unanswered(r result) withdraw.Outcome {
	if r.Code == codeRefused && r.SubCode == absent {
		return withdraw.Outcome{Verdict: withdraw.Absent}
	}
	if rule, ok := find(r.SubCode); ok && rule.verdict == withdraw.Barred {
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: reasonBarred}
	}
	return unclear
}

// outcome is what a signed success says about number.
func (t transferred) outcome(number string) withdraw.Outcome {
	if t.Number != number {
		return unclear
	}
	amount, err := t.Amount.Yuan(money.Exact)
	if err != nil {
		return unclear
	}
	o := withdraw.Outcome{Receipt: t.Order, Amount: amount}
	switch t.Status {
	case "SUCCESS":
		o.Verdict = withdraw.Done
	case "DEALING":
		o.Verdict, o.Reason = withdraw.Busy, reasonHeld
	case "FAIL": // final, whatever the code: the number will not be paid any more
		o.Verdict, o.Reason = withdraw.Dead, reasonRefused
		if rule, ok := find(t.ErrorCode); ok && rule.verdict == withdraw.Dead {
			o.Reason = rule.reason
		}
	case "REFUND": // it left and came back
		o.Verdict, o.Reason = withdraw.Dead, reasonCameBack
	default: // of other products, or new
		o.Verdict, o.Reason = withdraw.Unclear, reasonUnclear
	}
	return o
}

// fault is a signed answer other than success as an error, where nothing is at
// stake.
func (r result) fault() error {
	code := fault.Unavailable
	if rule, ok := find(r.SubCode); ok && rule.verdict == withdraw.Barred {
		code = fault.Denied
	}
	switch {
	case r.Code == codeTooMany:
		code = fault.Limited
	case r.Code == codeRefused && r.SubCode == absent:
		code = fault.NotFound
	}
	return fault.Newf(code, "", "the gateway says %s %s", word(r.Code), word(r.SubCode))
}
