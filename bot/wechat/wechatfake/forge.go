package wechatfake

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// A Forgery is a request that is not the platform's, or not any more.
type Forgery string

// The forgeries. All but Twice and Alike must be refused; those must do nothing twice.
const (
	WrongSignature    Forgery = "signature"     // of the query
	NoSignature       Forgery = "no signature"  // nor time or nonce
	WrongMsgSignature Forgery = "msg_signature" // of what is encrypted
	WrongAppID        Forgery = "appid"         // within what is encrypted
	Truncated         Forgery = "truncated"     // base64 that breaks off
	BadPadding        Forgery = "padding"       // whole blocks, wrongly padded
	BadLength         Forgery = "length"        // of the message, beyond its end
	Stale             Forgery = "stale"         // signed an hour ago
	Future            Forgery = "future"        // signed in an hour
	Replayed          Forgery = "replayed"      // a request that was there half a minute before, to the letter
	Reused            Forgery = "reused"        // the query of a request that was there just before, with another body
	Unencrypted       Forgery = "unencrypted"   // signed as in plain mode
	Declared          Forgery = "DTD"           // with a declaration of types
	TwiceTheNode      Forgery = "duplicate"     // an element twice
	SecondRoot        Forgery = "second root"
	Deep              Forgery = "deep"      // a thousand elements in each other
	Oversized         Forgery = "oversized" // a megabyte
	NotXML            Forgery = "not XML"
	Empty             Forgery = "empty"
	Twice             Forgery = "twice" // the platform's own redelivery
	Alike             Forgery = "alike" // the same, to the letter: see Config.Alike
)

// Forgeries returns all of them. In plain mode what is said of encryption does not
// apply: see Forgery.Sealed.
func Forgeries() []Forgery {
	return []Forgery{
		WrongSignature, NoSignature, WrongMsgSignature, WrongAppID, Truncated, BadPadding, BadLength, Stale, Future, Replayed, Reused, Unencrypted,
		Declared, TwiceTheNode, SecondRoot, Deep, Oversized, NotXML, Empty, Twice, Alike,
	}
}

// Sealed reports whether a forgery is one of encryption, and none in plain mode.
func (f Forgery) Sealed() bool {
	switch f {
	case WrongMsgSignature, WrongAppID, Truncated, BadPadding, BadLength, Unencrypted:
		return true
	default:
		return false
	}
}

// Again reports whether a forgery follows a request that is right.
func (f Forgery) Again() bool { return f == Replayed || f == Reused || f.Redelivery() }

// Redelivery reports whether a forgery is none: the platform delivers like that.
func (f Forgery) Redelivery() bool { return f == Twice || f == Alike }

// replayAfter is how long a request is kept before it is replayed: no redelivery comes as
// late.
const replayAfter = 30 * time.Second

// Forge sends a text of a person in a forged way, once, and says what came back. What
// comes again is sent properly first; what came of that is not told.
func (s *Server) Forge(ctx context.Context, openid, text string, f Forgery) Delivery {
	m := s.wrote(openid, "text", textNode("Content", text))
	if !f.Again() {
		return s.deliver(ctx, http.MethodPost, s.forge(m, f))
	}
	w := s.wrap(m)
	s.deliver(ctx, http.MethodPost, w)
	switch f {
	case Replayed:
		select {
		case <-s.cfg.After(replayAfter):
		case <-ctx.Done():
		}
	case Reused:
		w = reused(w)
	case Twice:
		w = s.wrap(m)
	default: // to the letter
	}
	return s.deliver(ctx, http.MethodPost, w)
}

// reused is a request with the query of another, and more in its body.
func reused(w wire) wire {
	w.body = bytes.Replace(w.body, []byte("</xml>"), render([]node{textNode("Padding", "x")})[len("<xml>"):], 1)
	return w
}

// CheckForged is the console's test with a wrong signature: what the callback answers, and
// whether it gives back what it is sent all the same.
func (s *Server) CheckForged(ctx context.Context) (d Delivery, echoed bool) {
	w := s.signed(s.cfg.Now())
	w.query.Set("signature", strings.Repeat("0", 40))
	w.query.Set("echostr", "1234567890")
	d = s.deliver(ctx, http.MethodGet, w)
	return d, d.Body == "1234567890"
}

// forge makes a forged request.
func (s *Server) forge(m message, f Forgery) wire {
	nodes := m.all(s.cfg.Account)
	msg := render(nodes)
	switch f {
	case Stale:
		return s.around(m, msg, s.cfg.Now().Add(-time.Hour))
	case Future:
		return s.around(m, msg, s.cfg.Now().Add(time.Hour))
	case Declared:
		msg = append([]byte(`<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`), msg...)
	case TwiceTheNode:
		msg = render(append(nodes, textNode("FromUserName", "somebody else")))
	case SecondRoot:
		msg = append(msg, msg...)
	case Deep:
		msg = []byte("<xml>" + strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000) + strings.TrimPrefix(string(msg), "<xml>"))
	case Oversized:
		msg = render(append(nodes, textNode("Padding", strings.Repeat("x", 1<<20))))
	case NotXML:
		msg = []byte(`{"MsgType":"text","Content":"x"}`)
	case Empty:
		return wire{query: s.around(m, msg, s.cfg.Now()).query, body: []byte{}}
	default: // the message is whole, and its wrapping is not
	}
	w := s.around(m, msg, s.cfg.Now())
	return s.spoil(w, m, msg, f)
}

// around puts a message into a request of the account's mode.
func (s *Server) around(m message, msg []byte, at time.Time) wire {
	w := s.signed(at)
	w.query.Set("openid", m.from)
	s.mu.Lock()
	mode := s.mode
	s.mu.Unlock()
	if mode == Plain {
		w.body = msg
		return w
	}
	return s.encrypted(w, s.crypt.Seal(tencentfake.Random16(), msg, s.cfg.AppID))
}

func (s *Server) encrypted(w wire, sealed string) wire {
	w.seal(s.crypt, sealed)
	w.body = render([]node{textNode("ToUserName", s.cfg.Account), textNode("Encrypt", sealed)})
	return w
}

// spoil does what concerns signatures and encryption.
func (s *Server) spoil(w wire, m message, msg []byte, f Forgery) wire {
	nothing := strings.Repeat("0", 40)
	switch f {
	case WrongSignature:
		w.query.Set("signature", nothing)
		if w.query.Has("msg_signature") {
			w.query.Set("msg_signature", nothing)
		}
	case NoSignature:
		for _, k := range []string{"signature", "msg_signature", "timestamp", "nonce"} {
			w.query.Del(k)
		}
	case WrongMsgSignature:
		w.query.Set("msg_signature", nothing)
	case WrongAppID:
		return s.encrypted(w, s.crypt.Seal(tencentfake.Random16(), msg, "wx0000000000000000"))
	case Truncated:
		sealed := s.crypt.Seal(tencentfake.Random16(), msg, s.cfg.AppID)
		return s.encrypted(w, sealed[:len(sealed)-7])
	case BadPadding:
		return s.encrypted(w, s.crypt.Encrypt(append(make([]byte, tencentfake.PadTo-1), 77)))
	case BadLength:
		text := append([]byte(random(tencentfake.RandomLen)), 0x7f, 0xff, 0xff, 0xff)
		for len(text) < 2*tencentfake.PadTo {
			text = append(text, byte(2*tencentfake.PadTo-tencentfake.HeadLen))
		}
		return s.encrypted(w, s.crypt.Encrypt(text[:2*tencentfake.PadTo]))
	case Unencrypted:
		w = s.signed(s.cfg.Now())
		w.query.Set("openid", m.from)
		w.body = msg
	default: // the wrapping is whole
	}
	return w
}
