package taobao

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// orderRow is an order row. The field names are the platform's; every value may
// be a text, a number or missing.
type orderRow struct {
	Parent       money.Number `json:"trade_parent_id"`
	Trade        money.Number `json:"trade_id"`
	ItemID       money.Number `json:"item_id"`
	ExtraID      money.Number `json:"extra_mkt_id"`
	Title        money.Number `json:"item_title"`
	Image        money.Number `json:"item_img"`
	Shop         money.Number `json:"seller_shop_title"`
	Category     money.Number `json:"item_category_name"`
	Quantity     money.Number `json:"item_num"`
	Status       money.Number `json:"tk_status"`
	RefundTag    money.Number `json:"refund_tag"`
	Created      money.Number `json:"tk_create_time"`
	Paid         money.Number `json:"tk_paid_time"`
	Earned       money.Number `json:"tk_earning_time"`
	Modified     money.Number `json:"modified_time"`
	Clicked      money.Number `json:"click_time"`
	AlipayPrice  money.Number `json:"alipay_total_price"`
	PayPrice     money.Number `json:"pay_price"`
	PreFee       money.Number `json:"pub_share_pre_fee"`
	Fee          money.Number `json:"pub_share_fee"`
	ServiceFee   money.Number `json:"alimama_share_fee"`
	Adzone       money.Number `json:"adzone_id"`
	Relation     money.Number `json:"relation_id"`
	Special      money.Number `json:"special_id"`
	ServiceShare struct {
		TechPre  money.Number `json:"alimm_tech_service_pre_fee"`
		Tech     money.Number `json:"alimm_tech_service_fee"`
		AgentPre money.Number `json:"alimm_agent_service_pre_fee"`
		Agent    money.Number `json:"alimm_agent_service_fee"`
	} `json:"alimm_share_info_dto"`
}

// states are the platform's tk_status.
var states = map[string]order.State{
	"11": order.Unpaid,
	"12": order.Paid,
	"14": order.Received,
	"3":  order.Settled,
	"13": order.Invalid,
}

// whyClosed is all that a closed row says about why: unpaid, cancelled, or fully
// refunded before settlement.
const whyClosed = "order.cancelled"

var tradeID = regexp.MustCompile(`^[0-9]{1,32}$`)

// revision reads a row. On failure the key is filled in as far as it is known.
func (c *Client) revision(raw json.RawMessage) (order.Revision, error) {
	r := order.Revision{Key: c.key(""), Aspect: order.Whole, Raw: raw}
	var w orderRow
	if err := json.Unmarshal(raw, &w); err != nil {
		return r, fault.Wrap(fault.Invalid, "taobao.revision", err)
	}
	id := text(w.Trade)
	if !tradeID.MatchString(id) {
		return r, fault.Newf(fault.Invalid, "", "trade_id %q", short(id))
	}
	r.Key = c.key(id)
	if r.Order = text(w.Parent); r.Order == "" {
		r.Order = id
	}
	r.Item = itemOf(w)
	r.Title, r.Shop, r.Category, r.Image = text(w.Title), text(w.Shop), text(w.Category), address(w.Image)
	r.Slot = nonZero(w.Adzone)
	r.Tag = c.tagOf(w)
	var ok bool
	if r.State, ok = states[text(w.Status)]; !ok {
		return r, fault.Newf(fault.Invalid, "", "tk_status %q", short(string(w.Status)))
	}
	if r.State == order.Invalid {
		r.Why = whyClosed
	}
	if r.Quantity, ok = count(w.Quantity); !ok {
		return r, fault.Newf(fault.Invalid, "", "item_num %q", short(string(w.Quantity)))
	}
	// Without the refund feed nobody would tell how the case ends.
	r.Disputed = !c.cfg.Refunds && nonZero(w.RefundTag) != ""
	if err := w.times(&r); err != nil {
		return r, err
	}
	return r, w.amounts(&r)
}

// key names a line of this account.
func (c *Client) key(id string) order.Key {
	return order.Key{Network: c.Network(), Account: c.cfg.Account, ID: id}
}

// itemOf is the part of the item id that links know too.
func itemOf(w orderRow) string {
	id := text(w.ItemID)
	if extra := text(w.ExtraID); SameItem(id) == id && extra != "" {
		return extra
	}
	return SameItem(id)
}

// tagOf is the id of the channel or member that a row names, unless it is our
// own channel, which says nothing about a user.
func (c *Client) tagOf(w orderRow) string {
	if s := nonZero(w.Special); s != "" {
		return memberMark + s
	}
	if s := nonZero(w.Relation); s != c.cfg.RelationID {
		return s
	}
	return ""
}

// nonZero returns what an id or a mark says; zero says nothing.
func nonZero(n money.Number) string {
	if n == "0" {
		return ""
	}
	return text(n)
}

// quantityMax is far above what one line of an order can hold.
const quantityMax = 1_000_000

// count reads a number of pieces; a row that does not say has one.
func count(n money.Number) (int, bool) {
	s := text(n)
	if s == "" {
		return 1, true
	}
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0 && i <= quantityMax
}

func (w orderRow) times(r *order.Revision) error {
	for _, f := range []struct {
		to   *time.Time
		from money.Number
	}{
		{&r.Clicked, w.Clicked}, {&r.Created, w.Created}, {&r.PaidAt, w.Paid}, {&r.SettledAt, w.Earned}, {&r.Modified, w.Modified},
	} {
		t, err := moment(f.from)
		if err != nil {
			return err
		}
		*f.to = t
	}
	if r.Modified.IsZero() {
		return fault.Newf(fault.Invalid, "", "no modified_time")
	}
	return nil
}

// amounts reads the money of a row. The platform's prices shrink with refunds
// before settlement; what was given back it does not say.
func (w orderRow) amounts(r *order.Revision) error {
	read := func(n money.Number, rounding money.Rounding, err *error) money.Fen {
		f, e := yuan(n, rounding)
		if e == nil && f < 0 {
			e = fault.Newf(fault.Invalid, "", "a negative amount: %s", f)
		}
		if *err == nil {
			*err = e
		}
		return f
	}
	var err error
	price, atReceipt := read(w.AlipayPrice, money.HalfUp, &err), read(w.PayPrice, money.HalfUp, &err)
	expected, earned := read(w.PreFee, money.Down, &err), read(w.Fee, money.Down, &err)
	share := read(w.ServiceFee, money.HalfUp, &err)
	if text(w.ServiceFee) == "" {
		d := w.ServiceShare
		tech, agent := d.TechPre, d.AgentPre
		if r.State == order.Settled {
			tech, agent = d.Tech, d.Agent
		}
		share = read(tech, money.HalfUp, &err) + read(agent, money.HalfUp, &err)
	}
	if err != nil {
		return err
	}
	r.Price = price
	if atReceipt > 0 {
		r.Price = atReceipt
	}
	r.Estimated = max(expected-share, 0)
	if r.State == order.Settled {
		if share > earned && text(w.Fee) != "" {
			return fault.Newf(fault.Invalid, "", "a service fee of %s on an income of %s", share, earned)
		}
		r.Actual, r.ActualKnown = earned-share, true
	}
	if r.State == order.Settled && text(w.Fee) == "" { // not said is not nothing: what was expected stands
		r.Actual, r.ActualKnown = 0, false
	}
	return nil
}
