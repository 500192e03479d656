package wechat

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"
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

	message bool // it lets us send messages for two days
	action  bool // it lets us send messages for a minute
}

// unsupported is what the platform writes in the place of a message that it does not
// pass on.
const unsupported = "【收到不支持的消息类型"

// incomingOf understands the body of a callback.
func (c *Channel) incomingOf(e *element) (in incoming, err error) {
	in = incoming{from: e.find("FromUserName"), to: e.find("ToUserName"), kin: e.find("MsgType")}
	sec, err := strconv.ParseInt(e.find("CreateTime"), 10, 64)
	if err != nil || !idForm.MatchString(in.from) || !idForm.MatchString(in.to) || in.kin == "" {
		return in, errMessage
	}
	if !c.own(in.to) {
		return in, errAccount
	}
	in.at = time.Unix(sec, 0)
	if in.kin == "event" {
		return in.event(e)
	}
	n, err := strconv.ParseUint(e.find("MsgId"), 10, 64)
	if err != nil {
		return in, errMessage
	}
	in.id = "m/" + in.to + "/" + strconv.FormatUint(n, 10)
	in.message = e.find("bizmsgmenuid") == "" // a tap on a menu is a click
	in.action = !in.message
	return in.understand(e), nil
}

// understand says what a message means.
func (in incoming) understand(e *element) incoming {
	in.kind = talk
	switch in.kin {
	case "text":
		if in.text = e.find("Content"); strings.HasPrefix(in.text, unsupported) {
			in.kind, in.say = line, sayUnsupported
		}
	case "voice":
		if in.text = e.find("Recognition"); in.text == "" {
			in.kind, in.say = line, sayVoice
		}
	case "link":
		in.text = strings.Join([]string{e.find("Title"), e.find("Description"), e.find("Url")}, "\n")
	case "image":
		in.kind, in.say = line, sayImage
	case "video", "shortvideo":
		in.kind, in.say = line, sayVideo
	case "location":
		in.kind, in.say = line, sayLocation
	default:
		in.kind, in.say, in.kin = line, sayUnsupported, "other"
	}
	if in.kind == talk && strings.TrimSpace(in.text) == "" {
		in.kind, in.say = line, sayUnsupported
	}
	return in
}

// codeForm is what a scene that names an inviter looks like.
var codeForm = regexp.MustCompile(`^r_([0-9A-Za-z]{1,64})$`)

// event understands an event. It has no number: what it says makes its id.
func (in incoming) event(e *element) (incoming, error) {
	name, key := e.find("Event"), e.find("EventKey")
	if name == "" {
		return in, errMessage
	}
	in.id = "e/" + digest(strings.Join([]string{in.from, e.find("CreateTime"), name, key, e.find("MsgID")}, "\n"))
	in.kin, in.kind = name, silent
	switch name {
	case "subscribe":
		in.kind, in.text, in.action = talk, "/start", true
		in.via = inviter(strings.TrimPrefix(key, "qrscene_"))
	case "SCAN":
		in.kind, in.text, in.action, in.via = talk, "/start", true, inviter(key)
	case "CLICK":
		in.kind, in.text, in.action = talk, key, true
		if key == "" {
			in.kind = silent
		}
	case "scancode_waitmsg", "scancode_push":
		in.action = true
		if code := e.child("ScanCodeInfo"); code != nil && name == "scancode_waitmsg" && code.find("ScanResult") != "" {
			in.kind, in.text = talk, code.find("ScanResult")
		}
	case "unsubscribe":
		in.kind = left
	case "TEMPLATESENDJOBFINISH":
		if e.find("Status") == "failed:user block" {
			in.kin = "template_blocked"
		}
	case "VIEW", "view_miniprogram", "LOCATION", "MASSSENDJOBFINISH",
		"subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event":
	default: // new ones come without anybody having done anything
		in.kin = "other_event"
	}
	return in, nil
}

// inviter returns the code in a scene; "" for a scene that names nobody.
func inviter(scene string) string {
	if m := codeForm.FindStringSubmatch(scene); m != nil {
		return m[1]
	}
	return ""
}

// unbase64 decodes; nil for what is not base64.
func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
