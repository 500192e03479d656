package platform

import (
	"fanli/bot/tencent"
	"fanli/core/fault"
)

// A RefusalError is an answer of WeChat that says no.
type RefusalError = tencent.RefusalError

// CodeOf returns WeChat's own number of an error; 0 if it said none.
func CodeOf(err error) int64 { return tencent.CodeOf(err) }

// The reasons of errors, which never change.
const (
	WindowClosed = "wechat.window_closed"        // they have not written for 48 hours, or have gone
	QuotaUsed    = "wechat.quota_used"           // they have been sent all that they may be
	NotFollower  = "wechat.not_follower"         // nobody that the account knows
	NoRight      = "wechat.no_right"             // the account may not do that
	NoConsent    = "wechat.refused_subscription" // they have not agreed to such a notice
	Busy         = "wechat.busy"                 // later
	TooOften     = "wechat.too_often"            // the account has called too often
	TooLong      = "wechat.too_long"             // a text or a file
	BadTemplate  = "wechat.template"             // there is none such, or what stands in it is wrong
	BadMedia     = "wechat.media"                // a file that there is not, or of the wrong kind
	BadMenu      = "wechat.menu"                 // it breaks WeChat's rules
	NoMenu       = "wechat.no_menu"              // there is none
	BadTag       = "wechat.tag"                  // there is none such, or one too many
	BadToken     = "wechat.token"                // WeChat refuses each token that it hands out
	Credentials  = "wechat.credentials"          //nolint:gosec // a reason: app_id or app_secret are not what WeChat has
	IPUnlisted   = "wechat.ip_unlisted"          // the console does not list our address
)

// A meaning is what a number of WeChat means to callers.
type meaning struct {
	code   fault.Code
	reason string
}

// meanings say what WeChat's numbers mean. One that is not here is Internal, so that a
// person looks at it and adds a line.
var meanings = map[int64]meaning{
	-1:    {fault.Unavailable, Busy},
	40001: {fault.Unavailable, BadToken}, 40014: {fault.Unavailable, BadToken}, 41001: {fault.Unavailable, BadToken}, 42001: {fault.Unavailable, BadToken},
	40013: {fault.Denied, Credentials}, 40125: {fault.Denied, Credentials}, 41002: {fault.Denied, Credentials}, 41004: {fault.Denied, Credentials},
	40164: {fault.Denied, IPUnlisted}, 89503: {fault.Denied, IPUnlisted},
	45009: {fault.Limited, TooOften}, 45011: {fault.Limited, TooOften},
	45015: {fault.Denied, WindowClosed}, 45047: {fault.Denied, QuotaUsed},
	43004: {fault.NotFound, NotFollower}, 40003: {fault.NotFound, NotFollower}, 49003: {fault.NotFound, NotFollower}, 65302: {fault.NotFound, NotFollower},
	48001: {fault.Denied, NoRight}, 48004: {fault.Denied, NoRight}, 50001: {fault.Denied, NoRight}, 50002: {fault.Denied, NoRight},
	40200: {fault.Denied, NoRight}, 65306: {fault.Denied, NoRight},
	43101: {fault.Denied, NoConsent},
	45002: {fault.Invalid, TooLong}, 45008: {fault.Invalid, TooLong}, 45001: {fault.Invalid, TooLong}, 45003: {fault.Invalid, TooLong}, 45004: {fault.Invalid, TooLong},
	45005: {fault.Invalid, TooLong}, 45006: {fault.Invalid, TooLong}, 40006: {fault.Invalid, TooLong},
	40037: {fault.Invalid, BadTemplate}, 47003: {fault.Invalid, BadTemplate}, 40097: {fault.Invalid, BadTemplate},
	40004: {fault.Invalid, BadMedia}, 40005: {fault.Invalid, BadMedia}, 40007: {fault.Invalid, BadMedia}, 41005: {fault.Invalid, BadMedia},
	46003: {fault.NotFound, NoMenu}, 65301: {fault.NotFound, NoMenu}, 65303: {fault.NotFound, NoMenu},
	40015: {fault.Invalid, BadMenu}, 40016: {fault.Invalid, BadMenu}, 40017: {fault.Invalid, BadMenu}, 40018: {fault.Invalid, BadMenu},
	40019: {fault.Invalid, BadMenu}, 40020: {fault.Invalid, BadMenu}, 40022: {fault.Invalid, BadMenu}, 40023: {fault.Invalid, BadMenu},
	40024: {fault.Invalid, BadMenu}, 40025: {fault.Invalid, BadMenu}, 40026: {fault.Invalid, BadMenu}, 40027: {fault.Invalid, BadMenu},
	40054: {fault.Invalid, BadMenu}, 40055: {fault.Invalid, BadMenu}, 65304: {fault.Invalid, BadMenu}, 65305: {fault.Invalid, BadMenu},
	65316: {fault.Invalid, BadMenu}, 65320: {fault.Invalid, BadMenu},
	45056: {fault.Conflict, BadTag}, 45059: {fault.Conflict, BadTag}, 45157: {fault.Conflict, BadTag}, 45158: {fault.Invalid, BadTag}, 45159: {fault.NotFound, BadTag},
	40032: {fault.Invalid, ""}, 40008: {fault.Invalid, ""}, 40053: {fault.Invalid, ""}, 40096: {fault.Invalid, ""}, 44002: {fault.Invalid, ""},
	44004: {fault.Invalid, ""}, 47001: {fault.Invalid, ""}, 43002: {fault.Internal, ""},
}

// meaningOf says what a number means.
func meaningOf(number int64) (code fault.Code, reason string) {
	if m, ok := meanings[number]; ok {
		return m.code, m.reason
	}
	return fault.Internal, ""
}
