package taobao

import (
	"fmt"
	"strings"

	"fanli/core/fault"
	"fanli/core/money"
)

// A refusal is the platform's error.
type refusal struct {
	Code      money.Number `json:"code"`
	Msg       string       `json:"msg"`
	SubCode   money.Number `json:"sub_code"`
	SubMsg    string       `json:"sub_msg"`
	RequestID string       `json:"request_id"`
}

// A verdict is what an error of the platform means to our callers.
type verdict struct {
	code   fault.Code
	reason string
}

// gatewayCodes are the codes of the gateway itself. 15 and 50 carry a sub code
// that decides.
var gatewayCodes = map[string]verdict{
	"3": {fault.Internal, ""}, "9": {fault.Internal, ""},
	"4": {fault.Limited, ""}, "5": {fault.Limited, ""}, "6": {fault.Limited, ""}, // user, session, partner
	"7": {fault.Limited, ""}, "8": {fault.Limited, ""}, // app, frequency
	"10": {fault.Unavailable, ""},
	"11": {fault.Denied, ""}, "12": {fault.Denied, ""}, "13": {fault.Denied, ""}, // permissions
	"15": {fault.Unavailable, ""}, "50": {fault.Unavailable, ""}, // the service behind; no sub code
	"21": {fault.Internal, ""}, "22": {fault.Internal, ""}, "23": {fault.Internal, ""},
	"24": {fault.Denied, ""}, "25": {fault.Denied, ""}, // signature: the secret is wrong
	"26": {fault.Denied, ""}, "27": {fault.Denied, ""}, // session: authorise anew
	"28": {fault.Denied, ""}, "29": {fault.Denied, ""}, // app key
	"30": {fault.Internal, ""}, "31": {fault.Internal, ""}, // timestamp: our clock
	"32": {fault.Internal, ""}, "33": {fault.Internal, ""}, "34": {fault.Internal, ""},
	"40": {fault.Internal, ""}, "41": {fault.Invalid, ""}, "43": {fault.Internal, ""},
	"42": {fault.Denied, ""},
}

// businessCodes are the sub codes of the methods for goods and links, and of the
// elements of their answers.
var businessCodes = map[string]verdict{
	// no such goods, or not in the programme: an answer
	"50001": {fault.NotFound, reasonNotFound}, "10000": {fault.NotFound, reasonNotFound},
	"isv.item-not-exist": {fault.NotFound, reasonNotFound}, "isp.url_item_get_error": {fault.NotFound, reasonNotFound},
	"23": {fault.NotFound, reasonNotFound}, // the link leads nowhere

	// the 口令 is no longer valid, or empty
	"20008": {fault.NotFound, reasonExpired}, "20011": {fault.NotFound, reasonExpired},
	"isv.parse-result-invalid": {fault.NotFound, reasonExpired}, "6": {fault.NotFound, reasonExpired},

	// what was pasted cannot be opened
	"20010": {fault.Invalid, reasonKind}, "20012": {fault.Invalid, reasonKind}, "20014": {fault.Invalid, reasonKind},
	"20015": {fault.Invalid, reasonKind}, "33": {fault.Invalid, reasonKind}, "35": {fault.Invalid, reasonKind},
	"36": {fault.Invalid, reasonKind}, "1912": {fault.Invalid, reasonKind}, "30002": {fault.Invalid, reasonKind},
	"20000": {fault.Internal, ""}, "26": {fault.Internal, ""}, // a link that we did not leave as it was
	"20001": {fault.Internal, ""}, "20002": {fault.Internal, ""}, "8": {fault.Internal, ""}, "30001": {fault.Internal, ""},

	// the account or its permissions
	"2": {fault.Denied, ""}, "4": {fault.Denied, ""}, "24": {fault.Denied, ""}, "20013": {fault.Denied, ""}, // PID
	"1001": {fault.Denied, ""}, "1911": {fault.Denied, ""}, // permission for this material, for the scene
	"isv.pid-not-correct": {fault.Denied, ""}, "invalid-sessionkey": {fault.Denied, ""},
	"isp.relation-id-not-corrent": {fault.Denied, ""}, "isp.special-id-not-corrent": {fault.Denied, ""},
	"isp.rebate-id-not-match": {fault.Denied, ""},

	// later may do
	"0": {fault.Unavailable, ""}, "1": {fault.Unavailable, ""}, "5": {fault.Unavailable, ""},
	"25": {fault.Unavailable, ""}, "719": {fault.Unavailable, ""}, "1201": {fault.Unavailable, ""},
	"20016": {fault.Unavailable, ""}, "40001": {fault.Unavailable, ""},
	"50002": {fault.Limited, ""},
}

// orderCodes are the sub codes of the order methods. Their numbers mean other
// things than those of businessCodes.
var orderCodes = map[string]verdict{
	"1001": {fault.Internal, ""}, "1005": {fault.Internal, ""}, "1006": {fault.Internal, ""},
	"1008": {fault.Unavailable, ""}, // the cursor is forgotten: read the window again
	"2000": {fault.Internal, ""}, "2001": {fault.Invalid, ""}, "2002": {fault.Invalid, ""},
	"2004": {fault.Invalid, reasonTooOld},
	"2007": {fault.Invalid, reasonTooLong},
	"3000": {fault.Limited, ""}, "9100": {fault.Limited, ""}, // the account, over everything that uses it
	"3001": {fault.Unavailable, ""},
	"101":  {fault.Unavailable, ""}, "102": {fault.Unavailable, ""}, "103": {fault.Unavailable, ""},
}

// The reasons that this package gives.
const (
	reasonNotFound = "offer.not_in_programme"
	reasonKind     = "link.kind_unsupported"
	reasonPage     = "link.page_unsupported" // a shop or an event, not goods
	reasonExpired  = "link.token_expired"
	reasonSlot     = "link.unknown_slot"
	reasonScene    = "feed.unknown_scene"
	reasonCursor   = "feed.bad_cursor"
	reasonTooLong  = "feed.window_too_long"
	reasonTooFull  = "feed.window_too_full"
	reasonTooOld   = "feed.window_too_old"
)

// fault translates the error of a call of method.
func (r refusal) fault(method string) error {
	v := r.verdict(method)
	return &fault.Error{Code: v.code, Reason: v.reason, Op: method, Err: r}
}

// Error returns what the platform said, for operators.
func (r refusal) Error() string {
	return fmt.Sprintf("code %s %s, sub code %s %s, request %s",
		short(string(r.Code)), short(r.Msg), short(string(r.SubCode)), short(r.SubMsg), short(r.RequestID))
}

// verdict looks the error up: the sub code first where the gateway passes on
// somebody else's, then the code, then the prefix that says whose fault it was.
// What is in no table is Internal, so that a person looks.
func (r refusal) verdict(method string) verdict {
	code, sub := string(r.Code), string(r.SubCode)
	switch code {
	case "15", "50", "41":
		if v, ok := subVerdict(method, sub); ok {
			return v
		}
	}
	if v, ok := gatewayCodes[code]; ok {
		return v
	}
	if v, ok := subVerdict(method, sub); ok {
		return v
	}
	return verdict{fault.Internal, ""}
}

// subVerdict says what a sub code of method means, if it says anything.
func subVerdict(method, sub string) (verdict, bool) {
	table := businessCodes
	if strings.Contains(method, ".order.") {
		table = orderCodes
	}
	bare, _, _ := strings.Cut(sub, ":") // "isv.missing-parameter:adzone_id"
	if v, ok := table[bare]; ok {
		return v, true
	}
	switch {
	case bare == "":
		return verdict{}, false
	case strings.HasPrefix(bare, "accesscontrol.limited"):
		return verdict{fault.Limited, ""}, true
	case strings.Contains(bare, "permission"):
		return verdict{fault.Denied, ""}, true
	case strings.Contains(bare, "session"):
		return verdict{fault.Denied, ""}, true
	case strings.HasPrefix(bare, "isp."):
		return verdict{fault.Unavailable, ""}, true
	case strings.HasPrefix(bare, "isv."):
		return verdict{fault.Invalid, ""}, true
	default:
		return verdict{fault.Internal, ""}, true
	}
}
