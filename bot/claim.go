package bot

import (
	"context"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// claim takes a person's word that an order is theirs, and asks for its number
// if there is none.
func (t *turn) claim(ctx context.Context, args string) (Reply, error) {
	if args == "" {
		t.wait(ask{Step: askNumber})
		return Reply{Text: t.T("claim.ask"), Buttons: []Button{t.next("cancel")}}, nil
	}
	return t.claimNumber(ctx, args)
}

// takeNumber is the answer to the question for a number.
func (t *turn) takeNumber(ctx context.Context, s string) (Reply, error) {
	r, err := t.claimNumber(ctx, s)
	if fault.ReasonOf(err) == "claim.not_a_number" {
		text, _ := t.refusal(err)
		return t.wrong(text), nil
	}
	if t.state.Ask != nil && t.state.Ask.Step == askNumber {
		t.state.Ask = nil
	}
	return r, err
}

// claimNumber claims one number. What is theirs already is shown; whatever else
// the number is, the answer is the same.
func (t *turn) claimNumber(ctx context.Context, text string) (Reply, error) {
	text = compact(text)
	lines, err := t.lines(ctx, orderNumber(text))
	if err != nil {
		return Reply{}, err
	}
	if len(lines) > 0 {
		r := t.details(ctx, lines)
		r.Text = t.T("claim.yours")
		return r, nil
	}
	c, err := t.bot.Orders.Claim(ctx, t.user.ID, text)
	if err != nil {
		return Reply{}, err
	}
	if c.State == order.ClaimGranted {
		r := t.say("claim.granted")
		r.Buttons = []Button{t.next("orders")}
		return r, nil
	}
	if !c.State.Open() {
		return t.claimStands(c), nil
	}
	r := t.say("claim.waiting", "number", cutNumber(c.Order), "until", t.date(c.Until))
	if c.Proofs > 0 || t.m.Group {
		r.Buttons = []Button{t.next("claims"), t.next("orders")}
		return r, nil
	}
	t.wait(ask{Step: askPaid, Claim: c.ID})
	r.Text += "\n" + t.T("claim.ask_paid")
	r.Buttons = []Button{t.next("cancel")}
	return r, nil
}

// compact takes the blanks out of a number; apps show them for reading.
func compact(s string) string {
	c := strings.ReplaceAll(s, " ", "")
	if strings.Trim(c, "0123456789-") == "" {
		return c
	}
	return s
}

// cutNumber shows the end of an order number, by which people know it.
func cutNumber(s string) string {
	const shown = 4
	if len(s) <= shown {
		return s
	}
	return "…" + s[len(s)-shown:]
}

// number answers a bare number: an order to claim, goods to look up, or either,
// and then it asks.
func (t *turn) number(ctx context.Context, refs []link.Ref) (Reply, error) {
	var item, number string
	for _, r := range refs {
		switch r.Kind {
		case link.Order:
			number = r.ID
		default:
			item = r.ID
		}
	}
	switch {
	case number == "":
		return t.paste(ctx, refs, len(refs))
	case item == "":
		return t.claimNumber(ctx, number)
	}
	if mine, err := t.lines(ctx, number); err != nil {
		return Reply{}, err
	} else if len(mine) > 0 {
		return t.details(ctx, mine), nil
	}
	r := t.say("number.which")
	r.Buttons = []Button{t.next("claim", number), t.next("coupon", item)}
	return r, nil
}
