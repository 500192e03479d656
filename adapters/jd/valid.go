package jd

import "fanli/core/order"

// The codes with a meaning of their own; see live for the rest.
const (
	finishedCode = 17
	settledCode  = 18 // no longer in the documentation
)

// The reasons why a row earns nothing: keys of the user's text.
const (
	whySplit      = order.WhySplit     // replaced by rows whose parentId is this order
	whyCancelled  = "order.cancelled"  // cancelled or refused before it was received
	whyRefunded   = "order.refunded"   // every piece went back
	whyNoRate     = "order.no_rate"    // goods without a commission
	whyIneligible = "order.ineligible" // a kind of buyer or of purchase that does not count
	whyViolation  = "order.violation"  // against JD's rules
)

// live are the validCodes of rows that earn or may come to earn.
var live = map[int64]order.State{
	-1:           order.Unpaid, // JD does not know yet
	15:           order.Unpaid,
	16:           order.Paid,
	24:           order.Paid, // only the deposit of a pre-sale
	finishedCode: order.Received,
	settledCode:  order.Settled,
}

// dead says why rows of the other validCodes earn nothing. A code that is not in
// it is one that JD has added since, and earns nothing as well.
var dead = map[int64]string{
	2:  whySplit,
	3:  whyCancelled,
	4:  whyIneligible, // 帮帮主
	5:  whyViolation,  // abnormal account
	6:  whyNoRate,     // gift category
	7:  whyIneligible, // campus
	8:  whyIneligible, // enterprise
	9:  whyIneligible, // group purchase
	10: whyIneligible, // VAT special invoice
	11: whyIneligible, // village promoter
	12: whyIneligible, // self-purchase
	13: whyViolation,  // other
	14: whyViolation,  // source is not the registered site
	19: whyNoRate,     // rate 0
	20: whyIneligible, // not a first purchase
	21: whyIneligible, // 云店
	22: whyNoRate,     // rate 0 for PLUS members
	23: whyIneligible, // 支付有礼
	25: whyViolation,  // traffic hijacked
	26: whyViolation,  // abnormal traffic
	27: whyViolation,  // platform rules
	28: whyViolation,  // several abnormal trades
	29: whyIneligible, // other screen or shop
	30: whyIneligible, // more pieces than the category allows
	31: whyNoRate,     // sku on the black list
	33: whyNoRate,     // top-up of a supermarket card
	34: whyIneligible, // push card
	35: whyIneligible, // not a CID order
	36: whyViolation,  // account bound wrongly
}

// state returns how far a row with a validCode has come, and why it earns nothing
// if it does not.
func state(code int64) (order.State, string) {
	if s, ok := live[code]; ok {
		return s, ""
	}
	if why, ok := dead[code]; ok {
		return order.Invalid, why
	}
	return order.Invalid, whyIneligible
}
