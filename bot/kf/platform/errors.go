package platform

import (
	"fanli/bot/tencent"
	"fanli/core/fault"
)

// CodeOf returns WeCom's own number of an error; 0 if it said none.
func CodeOf(err error) int64 { return tencent.CodeOf(err) }

// keyUsed is what WeCom is taken to answer to a message whose key was used before. Its
// documentation says that this is refused and not with which number.
const keyUsed = 40058

// KeyUsed reports whether a message was refused because one with its key has arrived.
func KeyUsed(err error) bool { return CodeOf(err) == keyUsed }

// The reasons of errors, which never change.
const (
	QuotaUsed     = "wecom.quota_used"     // they have been sent all that they may be
	WindowClosed  = "wecom.window_closed"  // they have not written for 48 hours
	SessionClosed = "wecom.session_closed" // the conversation has ended, or a person of ours leads it
	NotCustomer   = "wecom.not_customer"   // nobody that the account knows
	NoRight       = "wecom.no_right"       // the app may not do that, or customer service is not opened
	NoAccount     = "wecom.no_account"     // there is no such account of customer service
	Busy          = "wecom.busy"           // later
	TooOften      = "wecom.too_often"      // we have called too often
	BadSyncToken  = "wecom.sync_token"     //nolint:gosec // a reason: the token of a callback has run out
	BadMessage    = "wecom.message"        // WeCom does not take it as it is
	BadToken      = "wecom.token"          // WeCom refuses each token that it hands out
	Credentials   = "wecom.credentials"    //nolint:gosec // a reason: corp_id or secret are not what WeCom has
	IPUnlisted    = "wecom.ip_unlisted"    // the console does not list our address
)

// A meaning is what a number of WeCom means to callers.
type meaning struct {
	code   fault.Code
	reason string
}

// meanings say what WeCom's numbers mean. Those of 95… that stand here are from the table
// of its documentation or have been seen by others; one that is not here is Internal, so
// that a person looks at it and adds a line.
var meanings = map[int64]meaning{
	-1: {fault.Unavailable, Busy}, 6000: {fault.Unavailable, Busy},
	40014: {fault.Unavailable, BadToken}, 41001: {fault.Unavailable, BadToken}, 42001: {fault.Unavailable, BadToken},
	40001: {fault.Denied, Credentials}, 40013: {fault.Denied, Credentials}, 41002: {fault.Denied, Credentials}, 41004: {fault.Denied, Credentials}, 42013: {fault.Denied, Credentials},
	60020: {fault.Denied, IPUnlisted},
	45009: {fault.Limited, TooOften}, 45011: {fault.Limited, TooOften}, 45033: {fault.Limited, TooOften},
	48002: {fault.Denied, NoRight}, 60011: {fault.Denied, NoRight}, 301002: {fault.Denied, NoRight},
	95011: {fault.Denied, NoRight}, 95012: {fault.Denied, NoRight}, 95017: {fault.Denied, NoRight},
	95000: {fault.Denied, NoAccount}, 95004: {fault.Denied, NoAccount},
	95001: {fault.Denied, QuotaUsed}, 95002: {fault.Denied, WindowClosed},
	95013: {fault.Denied, SessionClosed}, 95016: {fault.Denied, SessionClosed}, 95018: {fault.Denied, SessionClosed},
	40003: {fault.NotFound, NotCustomer}, 40096: {fault.NotFound, NotCustomer}, 84061: {fault.NotFound, NotCustomer},
	95007: {fault.Invalid, BadSyncToken},
	40007: {fault.Invalid, BadMessage}, 40008: {fault.Invalid, BadMessage}, keyUsed: {fault.Invalid, BadMessage}, 44004: {fault.Invalid, BadMessage},
	45002: {fault.Invalid, BadMessage}, 95008: {fault.Invalid, BadMessage}, 95009: {fault.Invalid, BadMessage}, 47001: {fault.Invalid, BadMessage},
	44002: {fault.Invalid, ""}, 43002: {fault.Internal, ""},
}

// meaningOf says what a number means.
func meaningOf(number int64) (code fault.Code, reason string) {
	if m, ok := meanings[number]; ok {
		return m.code, m.reason
	}
	return fault.Internal, ""
}
