package wechat

import (
	"strconv"
	"strings"
	"time"

	"fanli/bot"
	"fanli/bot/callback"
	"fanli/bot/plaintext"
)

// A kind is what the channel does with a callback.
type kind int

const (
	silent     kind = iota // nothing is said
	talk                   // the bot answers its text
	line                   // the channel itself answers, with a phrase
	left                   // the person has gone
	unreadable             // nothing that we know
)

// An incoming is one callback, understood.
type incoming struct {
	id   string // the same for each delivery of the same
	from string // openid
	to   string // the account
	at   time.Time
	kind kind
	text string // for the bot
	via  string // the code of who brought the person
	say  phrase // of a line
	kin  string // message type or event: a label of the metric

	failed string // the number of a template message that has not arrived

	message bool // it lets us send messages for two days
	action  bool // it lets us send messages for a minute
}

// unsupported is what the platform writes in the place of a message that it does not
// pass on.
const unsupported = "【收到不支持的消息类型"

// incomingOf understands the body of a callback.
func (c *Channel) incomingOf(e *callback.Element) (in incoming, err error) {
	in = incoming{from: e.Find("FromUserName"), to: e.Find("ToUserName"), kin: e.Find("MsgType")}
	sec, err := strconv.ParseInt(e.Find("CreateTime"), 10, 64)
	if err != nil || !idForm.MatchString(in.from) || !idForm.MatchString(in.to) || in.kin == "" {
		return in, callback.ErrMessage
	}
	if !c.own(in.to) {
		return in, callback.ErrAccount
	}
	in.at = time.Unix(sec, 0)
	if in.kin == "event" {
		return in.event(e)
	}
	n, err := strconv.ParseUint(e.Find("MsgId"), 10, 64)
	if err != nil {
		return in, callback.ErrMessage
	}
	in.id = "m/" + in.to + "/" + strconv.FormatUint(n, 10)
	in.message = e.Find("bizmsgmenuid") == "" // a tap on a menu is a click
	in.action = !in.message
	return in.understand(e), nil
}

// understand says what a message means.
func (in incoming) understand(e *callback.Element) incoming {
	in.kind = talk
	switch in.kin {
	case "text":
		if in.text = e.Find("Content"); strings.HasPrefix(in.text, unsupported) {
			in.kind = line
			in.say, _ = plaintext.CannotRead("")
		}
	case "voice":
		if in.text = e.Find("Recognition"); in.text == "" {
			in.kind, in.say = line, sayVoice
		}
	case "link":
		in.text = strings.Join([]string{e.Find("Title"), e.Find("Description"), e.Find("Url")}, "\n")
	default:
		var known bool
		in.kind = line
		if in.say, known = plaintext.CannotRead(strings.TrimPrefix(in.kin, "short")); !known {
			in.kin = "other"
		}
	}
	if in.kind == talk && strings.TrimSpace(in.text) == "" {
		in.kind = line
		in.say, _ = plaintext.CannotRead("")
	}
	return in
}

// event understands an event. It has no number: what it says makes its id.
func (in incoming) event(e *callback.Element) (incoming, error) {
	name, key := e.Find("Event"), e.Find("EventKey")
	if name == "" {
		return in, callback.ErrMessage
	}
	in.id = "e/" + digest(strings.Join([]string{in.from, e.Find("CreateTime"), name, key, e.Find("MsgID")}, "\n"))
	in.kin, in.kind = name, silent
	switch name {
	case "subscribe":
		in.kind, in.text, in.action = talk, "/start", true
		in.via = bot.InvitedBy(strings.TrimPrefix(key, "qrscene_"))
	case "SCAN":
		in.kind, in.text, in.action, in.via = talk, "/start", true, bot.InvitedBy(key)
	case "CLICK":
		in.kind, in.text, in.action = talk, key, true
		if key == "" {
			in.kind = silent
		}
	case "scancode_waitmsg", "scancode_push":
		in.action = true
		if code := e.Child("ScanCodeInfo"); code != nil && name == "scancode_waitmsg" && code.Find("ScanResult") != "" {
			in.kind, in.text = talk, code.Find("ScanResult")
		}
	case "unsubscribe":
		in.kind = left
	case "TEMPLATESENDJOBFINISH":
		switch status := e.Find("Status"); {
		case status == "failed:user block":
			in.kin, in.failed = "template_blocked", e.Find("MsgID")
		case strings.HasPrefix(status, "failed"):
			in.kin, in.failed = "template_failed", e.Find("MsgID")
		}
	case "VIEW", "view_miniprogram", "LOCATION", "MASSSENDJOBFINISH",
		"subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event":
	default: // new ones come without anybody having done anything
		in.kin = "other_event"
	}
	return in, nil
}
