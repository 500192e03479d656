package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/user"
)

// usualQuiet are the quiet hours that a button offers.
var usualQuiet = user.Quiet{From: 22 * 60, To: 8 * 60}

// notices shows what a person is told unasked, and changes it. It needs no confirmation:
// the words say all that is different, and how it is turned back.
func (t *turn) notices(ctx context.Context, args string) (Reply, error) {
	c, ok := readWish(args)
	if !ok {
		return t.showWishes(ctx, t.T("wishes.bad"))
	}
	return t.changeWishes(ctx, c)
}

// quietHours shows or changes when a person is told nothing.
func (t *turn) quietHours(ctx context.Context, args string) (Reply, error) {
	q, ok := readQuiet(args)
	if !ok {
		return t.showWishes(ctx, t.T("wishes.bad"))
	}
	return t.changeWishes(ctx, user.NoticesChange{Quiet: q})
}

// unsubscribe turns off whatever can be, and says what remains and how even that ends on
// this channel.
func (t *turn) unsubscribe(ctx context.Context, _ string) (Reply, error) {
	if _, err := t.bot.Users.ChangeNotices(ctx, t.user.ID, user.NoticesChange{Off: user.Topics()}); err != nil {
		return Reply{}, fault.In("bot.ChangeNotices", err)
	}
	on := t.m.From.Channel
	if !t.words.Has("unsubscribe.on." + on) {
		on = "other"
	}
	word := commandWord(t.words.Tag(), "notify")
	r := t.say("unsubscribe.text", "always", t.T("wishes.always"), "how", t.T("unsubscribe.on."+on),
		"on", word+" "+t.T("wishes.on"), "word", word, "balance", commandWord(t.words.Tag(), "balance"))
	r.Buttons = []Button{t.next("notify", t.T("wishes.on")), t.next("notify")}
	return r, nil
}

// changeWishes changes what is different, if anything is, and shows all.
func (t *turn) changeWishes(ctx context.Context, c user.NoticesChange) (Reply, error) {
	if c.Quiet == nil && len(c.Off)+len(c.On) == 0 {
		return t.showWishes(ctx, t.T("wishes.head"))
	}
	if r, stop, err := t.stopped(ctx, control.ReadOnly); stop || err != nil {
		return r, err
	}
	n, err := t.bot.Users.ChangeNotices(ctx, t.user.ID, c)
	if err != nil {
		return Reply{}, fault.In("bot.ChangeNotices", err)
	}
	return t.wishes(t.T("wishes.changed"), n), nil
}

// showWishes shows what counts now.
func (t *turn) showWishes(ctx context.Context, head string) (Reply, error) {
	n, err := t.bot.Users.Notices(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Notices", err)
	}
	return t.wishes(head, n), nil
}

// toggle turns a topic of the list around.
func (t *turn) toggle(ctx context.Context, topic user.Topic) (Reply, error) {
	n, err := t.bot.Users.Notices(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Notices", err)
	}
	if n.Wants(topic) {
		return t.changeWishes(ctx, user.NoticesChange{Off: []user.Topic{topic}})
	}
	return t.changeWishes(ctx, user.NoticesChange{On: []user.Topic{topic}})
}

// wishes shows what a person wants to be told, as a list whose digits turn topics around.
func (t *turn) wishes(head string, n user.Notices) Reply {
	var b strings.Builder
	b.WriteString(head)
	for i, topic := range user.Topics() {
		state := t.T("wishes.on")
		if !n.Wants(topic) {
			state = t.T("wishes.off")
		}
		fmt.Fprintf(&b, "\n%d. %s", i+1, t.T("wishes.line", "topic", t.T("topic."+string(topic)), "state", state))
	}
	b.WriteString("\n" + t.quietLine(n.Quiet))
	b.WriteString("\n" + t.T("wishes.always"))
	b.WriteString("\n" + t.T("wishes.how", "topic", t.firstOff().Action, "quiet", t.quietWord(usualQuiet), "loud", t.quietWord(user.Quiet{})))
	t.show(list{Kind: listWishes, Page: 1})
	return Reply{Text: b.String(), Buttons: t.wishButtons(n)}
}

// firstOff turns the first topic off.
func (t *turn) firstOff() Button {
	return t.next("notify", t.T("wishes.off"), topicWord(t.words.Tag(), user.Topics()[0]))
}

// wishButtons are for what people change most.
func (t *turn) wishButtons(n user.Notices) []Button {
	topics := t.firstOff()
	if len(n.Off) > 0 {
		topics = t.next("notify", t.T("wishes.on"))
	}
	hours := usualQuiet
	if !n.Quiet.IsZero() {
		hours = user.Quiet{}
	}
	word := t.quietWord(hours)
	return []Button{topics, {Label: cut(word, labelRunesMax), Action: word}}
}

// quietLine says when a person is told nothing.
func (t *turn) quietLine(q user.Quiet) string {
	if q.IsZero() {
		return t.T("wishes.loud")
	}
	return t.T("wishes.quiet", "from", clockOf(q.From), "to", clockOf(q.To))
}

// quietWord is what turns quiet hours on, or off.
func (t *turn) quietWord(q user.Quiet) string {
	word := commandWord(t.words.Tag(), "quiet")
	if q.IsZero() {
		return word + " " + t.T("wishes.off")
	}
	return fmt.Sprintf("%s %d-%d", word, q.From/60, q.To/60)
}

func clockOf(minute int) string { return fmt.Sprintf("%d:%02d", minute/60, minute%60) }

// topicWords are what people call topics; the first one is what buttons say.
func topicWords(t user.Topic) (zh, en []string) {
	switch t {
	case user.TopicOrders:
		return []string{"订单", "返利", "订单和返利"}, []string{"orders", "order", "rebates", "rebate"}
	case user.TopicMoney:
		return []string{"提现", "钱", "到账"}, []string{"withdrawals", "withdrawal", "money"}
	case user.TopicClaims:
		return []string{"找回", "申诉", "找回和申诉"}, []string{"claims", "claim", "appeals"}
	case user.TopicFriends:
		return []string{"好友", "奖励", "邀请", "好友和奖励"}, []string{"friends", "bonuses", "invitations"}
	case user.TopicMember:
		return []string{"会员", "等级"}, []string{"membership", "member", "level"}
	default:
		return nil, nil
	}
}

// topicWord is what a button calls a topic.
func topicWord(tag string, t user.Topic) string {
	zh, en := topicWords(t)
	if tag == "en" {
		return en[0]
	}
	return zh[0]
}

// topicNamed returns what a word stands for; all topics for "全部".
func topicNamed(word string) []user.Topic {
	if slices.Contains([]string{"全部", "所有", "全", "all", "everything"}, word) {
		return user.Topics()
	}
	for _, t := range user.Topics() {
		if zh, en := topicWords(t); slices.Contains(zh, word) || slices.Contains(en, word) {
			return []user.Topic{t}
		}
	}
	return nil
}

// readWish reads "", "关", "开 订单", "订单 关", "关 订单 提现", "免打扰 22-8", "关 免打扰" and
// hours alone.
func readWish(s string) (c user.NoticesChange, ok bool) {
	fields := strings.Fields(strings.NewReplacer("、", " ", ",", " ").Replace(fold(s)))
	if len(fields) == 0 {
		return c, true
	}
	on, known := onOff(fields[0])
	rest := fields[1:]
	if !known {
		if q, ok := readQuiet(strings.Join(fields, " ")); ok && q != nil {
			return user.NoticesChange{Quiet: q}, true
		}
		if on, known = onOff(fields[len(fields)-1]); !known {
			return c, false
		}
		rest = fields[:len(fields)-1]
	}
	if len(rest) == 0 {
		rest = []string{"all"}
	}
	var topics []user.Topic
	for _, w := range rest {
		if quietNamed(w) {
			c.Quiet = &user.Quiet{}
			if on {
				c.Quiet = &user.Quiet{From: usualQuiet.From, To: usualQuiet.To}
			}
			continue
		}
		some := topicNamed(w)
		if some == nil {
			return user.NoticesChange{}, false
		}
		topics = append(topics, some...)
	}
	if on {
		c.On = topics
	} else {
		c.Off = topics
	}
	return c, true
}

// onOff reads what turns something on or off.
func onOff(s string) (on, ok bool) {
	switch s {
	case "开", "打开", "开启", "on":
		return true, true
	case "关", "关闭", "关掉", "停", "off":
		return false, true
	default:
		return false, false
	}
}

func quietNamed(s string) bool {
	return slices.Contains([]string{"免打扰", "勿扰", "安静", "静音", "quiet"}, s)
}

// readQuiet reads "", "关", "开", "22-8", "22:30-7:30", "22点到8点" and the same after the
// word for it; nil for "".
func readQuiet(s string) (q *user.Quiet, ok bool) {
	s = strings.TrimSpace(fold(s))
	for _, w := range []string{"免打扰", "勿扰", "quiet hours", "quiet"} {
		if rest, ok := strings.CutPrefix(s, w); ok {
			s = strings.TrimSpace(rest)
			break
		}
	}
	if s == "" {
		return nil, true
	}
	if on, ok := onOff(s); ok {
		if on {
			return &user.Quiet{From: usualQuiet.From, To: usualQuiet.To}, true
		}
		return &user.Quiet{}, true
	}
	s = strings.NewReplacer("点半", ":30", "点", "", "时", "", "到", "-", "至", "-", "~", "-", "–", "-", "—", "-", "to", "-").Replace(s)
	m := hoursForm.FindStringSubmatch(s)
	if m == nil {
		return nil, false
	}
	from, one := minuteOf(m[1], m[2])
	to, two := minuteOf(m[3], m[4])
	q = &user.Quiet{From: from, To: to}
	return q, one && two && !q.IsZero() && q.Validate() == nil
}

var hoursForm = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))? *-+ *(\d{1,2})(?::(\d{2}))?$`)

// minuteOf reads a time of the day; 24 is its end, which is its beginning.
func minuteOf(hour, minute string) (int, bool) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi("0" + minute)
	return (h*60 + m) % (24 * 60), h < 24 && m < 60 || h == 24 && m == 0
}

// A Wish is how a person wants a notice that is about to be carried.
type Wish struct {
	Off   bool
	Wait  time.Duration // for so long it is held: until their quiet hours end, by the clock of Bot
	Hours user.Quiet    // their own quiet hours
}

// Wanted says how the person of a notice wants it now. A notice without a topic is wanted
// at any time. It asks whoever knows, each time: what was turned off a moment ago is not told.
func (d *Deliverer) Wanted(ctx context.Context, n Notice) (Wish, error) {
	w, err := d.Bot.Users.Notices(ctx, n.User)
	if err != nil {
		return Wish{}, fault.In("bot.Wanted", err)
	}
	wish := Wish{Hours: w.Quiet}
	if n.Topic == "" {
		return wish, nil
	}
	wish.Off = !w.Wants(n.Topic)
	v := d.Bot.voice("")
	if end, in := w.Quiet.Until(v.now.In(v.zone)); in {
		wish.Wait = end.Sub(v.now)
	}
	return wish, nil
}
