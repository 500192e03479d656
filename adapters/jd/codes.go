package jd

import (
	"net/http"

	"fanli/core/fault"
)

// A verdict is what a refusal means to us.
type verdict struct {
	code   fault.Code
	reason string
}

// gatewayCodes are the codes of an error_response. What is Internal there says
// that this package sends something wrong.
var gatewayCodes = map[string]verdict{
	"2":  {fault.Limited, ""},     // calls of the application used up
	"4":  {fault.Internal, ""},    // version missing
	"5":  {fault.Internal, ""},    // version unsupported
	"7":  {fault.Internal, ""},    // timestamp missing
	"8":  {fault.Denied, ""},      // timestamp too far from JD's: our clock is wrong
	"11": {fault.Internal, ""},    // signature missing
	"12": {fault.Denied, ""},      // signature wrong: as a rule the secret is
	"14": {fault.Internal, ""},    // method missing
	"15": {fault.Internal, ""},    // method unknown
	"19": {fault.Denied, ""},      // access token invalid
	"22": {fault.Denied, ""},      // app_key invalid
	"66": {fault.Unavailable, ""}, // platform
	"67": {fault.Unavailable, ""}, // platform
}

// The codes to which this package answers with more than an error.
const (
	codeOK           = "200"
	codeNoGoods      = "201"
	codePastPages    = "202"
	codeMaterialForm = "2001101"
	codeMaterial     = "2001102"
	codeNoCouponLink = "2001701"
	codeCouponBad    = "2001905"
	codeCouponPast   = "2001906"
	codeCouponOther  = "2001917"
)

// The reasons of this package's errors: keys of the user's text.
const (
	reasonNotListed  = "offer.not_in_programme"
	reasonOffShelf   = "offer.off_shelf"
	reasonSeveral    = "offer.several_goods"
	reasonKind       = "link.kind_unsupported"
	reasonCommand    = "link.token_unsupported"
	reasonUnreadable = "link.unreadable"
	reasonNoPage     = "link.page_unsupported"
	reasonTooLong    = "feed.window_too_long"
	reasonTooFull    = "feed.window_too_full"
)

// methodCodes are the inner codes. They are unique across methods but for the
// small ones, which mean the same everywhere.
var methodCodes = map[string]verdict{
	codeNoGoods:   {fault.NotFound, reasonNotListed},
	codePastPages: {fault.NotFound, ""}, // past the last page
	"400":         {fault.Invalid, ""},
	"401":         {fault.Invalid, ""},
	"403":         {fault.Denied, ""},
	"408":         {fault.Denied, ""}, // union id restricted
	"429":         {fault.Limited, ""},
	"500":         {fault.Unavailable, ""},

	"1002011": {fault.Internal, ""}, // more than ten goods asked for
	"1002016": {fault.NotFound, reasonNotListed},

	"2002400": {fault.Invalid, ""},
	"2002401": {fault.Denied, ""}, // key or token
	"2002403": {fault.Denied, ""},
	"2002408": {fault.Unavailable, ""}, // degraded
	"2002410": {fault.Denied, ""},      // union user unknown
	"2002452": {fault.Invalid, reasonTooFull},
	"2002453": {fault.Invalid, reasonTooLong},
	"2002499": {fault.Internal, ""}, // too many array elements
	"2002500": {fault.Unavailable, ""},

	codeMaterialForm: {fault.Invalid, reasonUnreadable},
	codeMaterial:     {fault.Invalid, reasonUnreadable},
	"2001104":        {fault.NotFound, reasonNotListed},
	"2001105":        {fault.Invalid, reasonNoPage}, // the home page
	"2001107":        {fault.Invalid, reasonNoPage}, // landing page not allowed
	"2001201":        {fault.Denied, ""},            // union id
	"2001208":        {fault.Internal, ""},          // form of subUnionId
	"2001212":        {fault.Invalid, ""},
	"2001213":        {fault.Denied, ""},                // pid
	"2001214":        {fault.Internal, ""},              // pid and subUnionId
	"2001215":        {fault.Denied, ""},                // pid is our own
	"2001216":        {fault.Denied, ""},                // channel id
	"2001217":        {fault.Denied, ""},                // channel id
	"2001301":        {fault.Invalid, reasonUnreadable}, // WeChat short link
	"2001303":        {fault.Invalid, reasonUnreadable}, // WeChat short link
	"2001403":        {fault.Denied, ""},
	"2001501":        {fault.Denied, ""},      // web id
	"2001504":        {fault.Unavailable, ""}, // degraded
	"2001601":        {fault.Denied, ""},      // 1601 to 1608: parent and child pids
	"2001602":        {fault.Denied, ""},
	"2001603":        {fault.Denied, ""},
	"2001604":        {fault.Denied, ""},
	"2001605":        {fault.Denied, ""},
	"2001606":        {fault.Denied, ""},
	"2001607":        {fault.Denied, ""},
	"2001608":        {fault.Denied, ""},
	"2001609":        {fault.Unavailable, ""},           // degraded
	"2001610":        {fault.Denied, ""},                // site id missing
	codeNoCouponLink: {fault.Denied, ""},                // links with a coupon
	"2001702":        {fault.Invalid, reasonUnreadable}, // original link
	"2001703":        {fault.Invalid, reasonUnreadable}, // original link
	"2001904":        {fault.Unavailable, ""},           // coupon service
	codeCouponBad:    {fault.Invalid, ""},
	codeCouponPast:   {fault.Invalid, ""},
	codeCouponOther:  {fault.Invalid, ""},

	"2006400": {fault.Invalid, ""},
	"2006408": {fault.Denied, ""}, // union id restricted
}

// The gift coupons' codes are a stretch; 2001925 among them says that the link
// carries a gift coupon already and cannot be converted once more.
const (
	giftCodeFirst = "2001919"
	giftCodeLast  = "2001932"
)

// verdict looks the refusal up. What nobody has classified yet is Internal, so
// that a person looks at it.
func (r *refusal) verdict() verdict {
	table := methodCodes
	if r.gateway {
		table = gatewayCodes
	}
	if v, ok := table[r.code]; ok {
		return v
	}
	if !r.gateway && len(r.code) == len(giftCodeFirst) && r.code >= giftCodeFirst && r.code <= giftCodeLast {
		return verdict{fault.Invalid, reasonUnreadable}
	}
	return verdict{fault.Internal, ""}
}

// statusCode translates an HTTP status other than 200, which only something in
// front of the gateway answers.
func statusCode(status int) fault.Code {
	switch {
	case status == http.StatusTooManyRequests:
		return fault.Limited
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Denied
	case status >= 500 || status == http.StatusRequestTimeout:
		return fault.Unavailable
	default:
		return fault.Internal // a wrong address, as a rule
	}
}
