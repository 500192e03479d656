package wechat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/user"
)

// The platform's numbers that mean something for a person or a right.
const (
	codeOtherApp    = 40003 // an openid of another account
	codeNoFollower  = 43004
	codeRefused     = 43101 // the person does not take this kind
	codeWindow      = 45015 // too late, or unfollowed
	codeCount       = 45047 // too many
	codeNoRight     = 48001
	codeForbidden   = 48004
	codeRightLacks  = 50002
	codeWrongKind   = 40200 // the kind of account
	codeTooLong     = 45002
	codeBadTemplate = 40037
)

// Coded is an error of the platform.
type Coded interface{ ErrCode() int64 }

// codeOf returns the platform's number of an error; 0 if it has none.
func codeOf(err error) int64 {
	var c Coded
	if errors.As(err, &c) {
		return c.ErrCode()
	}
	return 0
}

// noRight reports whether an error says that the account may not do that at all.
func noRight(err error) bool {
	switch codeOf(err) {
	case codeNoRight, codeForbidden, codeRightLacks, codeWrongKind:
		return true
	default:
		return false
	}
}

// gone reports whether an error says that somebody is no follower.
func gone(err error) bool {
	c := codeOf(err)
	return c == codeNoFollower || c == codeOtherApp
}

// A NoticeTemplate is the template message of a kind of notice. A field is "text" for
// the notice's first line, "time" for now, or else what it says.
type NoticeTemplate struct {
	ID     string            `yaml:"id"`
	URL    string            `yaml:"url"`
	Fields map[string]string `yaml:"fields"`
}

// Send implements bot.Channel.
func (c *Channel) Send(ctx context.Context, to user.Identity, r bot.Reply) error {
	return c.SendNotice(ctx, to, "", r)
}

// SendNotice tells a person something unasked: by a customer message if one is allowed,
// else by the template message of its kind, else with the next answer to them.
func (c *Channel) SendNotice(ctx context.Context, to user.Identity, kind string, r bot.Reply) error {
	f, err := c.reach(ctx, to)
	if err != nil {
		return err
	}
	sent, err := c.custom(ctx, f, r, true)
	if sent || err != nil {
		c.noticed(sent, "customer")
		return err
	}
	sent, err = c.template(ctx, f.openid, kind, r)
	if sent || err != nil {
		c.noticed(sent, "template")
		return err
	}
	return c.park(ctx, f.openid, rand.Text(), r)
}

// noticed counts a notice.
func (c *Channel) noticed(sent bool, how string) {
	if sent {
		c.count("notice", how)
	}
}

// SendAnswer sends the answer to a message that was acknowledged before. What is not
// allowed waits, for "1" or whatever the person writes.
func (c *Channel) SendAnswer(ctx context.Context, to user.Identity, key string, r bot.Reply) error {
	f, err := c.reach(ctx, to)
	if err != nil {
		return err
	}
	sent, err := c.custom(ctx, f, r, false)
	if sent || err != nil {
		return err
	}
	return c.park(ctx, f.openid, key, r)
}

// reach returns what is kept of a person. It fails with fault.NotFound for one who does
// not follow us.
func (c *Channel) reach(ctx context.Context, to user.Identity) (follower, error) {
	if to.Channel != Name {
		return follower{}, fault.Newf(fault.NotFound, "", "wechat does not reach people of other channels")
	}
	f, err := c.follower(ctx, to.External)
	if err != nil {
		return follower{}, fault.In("wechat.Send", err)
	}
	if f.Gone || f.rev == 0 {
		return follower{}, fault.Newf(fault.NotFound, "", "the person does not follow the account")
	}
	return f, nil
}

// park keeps something until its person writes.
func (c *Channel) park(ctx context.Context, openid, key string, r bot.Reply) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = c.opts.Book.Park(ctx, openid, key, b, c.opts.Now())
	}
	if err == nil {
		c.count("notice", "parked")
	}
	return fault.In("wechat.Park", err)
}

// custom sends a customer message. sent is false if none is allowed.
func (c *Channel) custom(ctx context.Context, f follower, r bot.Reply, notice bool) (sent bool, err error) {
	if !c.may(ctx, Customer) || f.allowed(c.opts.Now()) == 0 {
		return false, nil
	}
	ok, err := c.take(ctx, f.openid)
	if !ok || err != nil {
		return false, err
	}
	out := c.render(r)
	if notice && out.article == nil {
		out = c.renderText(r, true)
	}
	next := talkState{Menu: out.menu}
	if len(out.text) > textBytesMax {
		out.text, _, next = cutText(out.text, next)
	}
	if !notice || len(next.Rest) > 0 {
		c.offer(ctx, f.openid, next)
	}
	if out.article != nil {
		err = c.opts.Platform.SendArticle(ctx, f.openid, *out.article)
	} else {
		err = c.opts.Platform.SendText(ctx, f.openid, out.text)
	}
	return c.customSent(ctx, f.openid, err)
}

// customSent says what became of a customer message.
func (c *Channel) customSent(ctx context.Context, openid string, err error) (sent bool, _ error) {
	switch code := codeOf(err); {
	case err == nil:
		return true, nil
	case noRight(err):
		c.downgrade(ctx, Customer)
		return false, nil
	case gone(err):
		return false, c.lost(ctx, openid)
	case code == codeWindow || code == codeCount:
		c.count("quota", "used_up")
		_, err := c.change(ctx, openid, func(f *follower) bool {
			f.Message, f.Action = allowance{}, allowance{}
			return true
		})
		return false, err
	default:
		return false, fault.In("wechat.Send", err)
	}
}

// lost enters that somebody does not follow us any more.
func (c *Channel) lost(ctx context.Context, openid string) error {
	_, err := c.change(ctx, openid, func(f *follower) bool {
		f.Gone, f.Message, f.Action = true, allowance{}, allowance{}
		return true
	})
	if err != nil {
		return err
	}
	return fault.Newf(fault.NotFound, "", "the person does not follow the account any more")
}

// template sends the template message of a kind of notice. sent is false if there is
// none, or this person takes none.
func (c *Channel) template(ctx context.Context, openid, kind string, r bot.Reply) (sent bool, err error) {
	t, ok := c.opts.Templates[kind]
	if !ok || kind == "" || !c.may(ctx, Template) {
		return false, nil
	}
	data := map[string]string{}
	for name, what := range t.Fields {
		data[name] = c.field(name, what, r)
	}
	err = c.opts.Platform.SendTemplate(ctx, openid, t.ID, t.URL, data)
	switch code := codeOf(err); {
	case err == nil:
		return true, nil
	case noRight(err):
		c.downgrade(ctx, Template)
		return false, nil
	case gone(err):
		return false, c.lost(ctx, openid)
	case code == codeRefused:
		return false, nil
	case code == codeBadTemplate || code == codeTooLong:
		c.log.Error("a template message is refused; look at its configuration", "kind", kind, "code", code)
		return false, nil
	default:
		return false, fault.In("wechat.Template", err)
	}
}

// fieldMax is how many characters a field of a template takes, by its name.
func fieldMax(name string) int {
	for prefix, n := range map[string]int{"thing": 20, "phrase": 5, "character_string": 32, "const": 20, "short_thing": 20, "name": 10} {
		if strings.HasPrefix(name, prefix) {
			return n
		}
	}
	return 200
}

// field is what a field of a template says.
func (c *Channel) field(name, what string, r bot.Reply) string {
	switch what {
	case "text":
		first, _, _ := strings.Cut(strings.TrimSpace(plain(r.Text)), "\n")
		if first == "" && len(r.Cards) > 0 {
			first = plain(r.Cards[0].Title)
		}
		if limit := fieldMax(name); utf8.RuneCountInString(first) > limit {
			first = string([]rune(first)[:limit-1]) + "…"
		}
		return first
	case "time":
		return c.opts.Now().In(beijing()).Format("2006-01-02 15:04")
	default:
		return what
	}
}
