package gateway

import (
	"time"

	"fanli/core/access"
	"fanli/core/money"
)

// What is asked and answered. Amounts are in fen, shares in basis points, times as RFC
// 3339 has it; what is not known is left out.
type (
	// Health says that the API answers.
	Health struct {
		Status string `json:"status" jsonschema:"ok"`
	}

	// Caller is who asks.
	Caller struct {
		Kind   string         `json:"kind" jsonschema:"key or token"`
		Client string         `json:"client" jsonschema:"Whose key or token it is"`
		Single bool           `json:"single" jsonschema:"Whether it acts for one user only, without X-Fanli-User"`
		Scopes []access.Scope `json:"scopes" jsonschema:"What may be done"`
	}

	// UserRequest asks for a user of the client.
	UserRequest struct {
		External string `json:"external_id" jsonschema:"The client's own id of the user, 1 to 100 visible ASCII characters; no personal data"`
		Locale   string `json:"locale,omitempty" jsonschema:"The language that the user reads, zh or en; zh if left out"`
	}

	// User is a user of the client.
	User struct {
		External string    `json:"external_id" jsonschema:"The client's own id of the user"`
		Locale   string    `json:"locale" jsonschema:"The language that the user reads"`
		Joined   time.Time `json:"joined_at" jsonschema:"When the user was made"`
		Made     bool      `json:"created" jsonschema:"Whether the user was made just now"`
	}

	// LinkRequest is what somebody has copied.
	LinkRequest struct {
		Text string `json:"text" jsonschema:"A product's link, a code (口令), or a text that has some; the first five are looked at"`
	}

	// Links is what was found for a text, in its order.
	Links struct {
		Results []LinkResult `json:"results" jsonschema:"One for each thing that the text points at"`
	}

	// LinkResult is a link, or why there is none.
	LinkResult struct {
		Link    *Link    `json:"link,omitempty" jsonschema:"The link with its offer"`
		Problem *Problem `json:"problem,omitempty" jsonschema:"Why there is none"`
	}

	// Link is an affiliate link made for the user, with the offer behind it.
	Link struct {
		ID      int64     `json:"id" jsonschema:"Ours"`
		Network string    `json:"network" jsonschema:"taobao, jd, pdd …"`
		Item    string    `json:"item" jsonschema:"The network's id of the goods"`
		Title   string    `json:"title" jsonschema:"What is sold"`
		Shop    string    `json:"shop,omitempty" jsonschema:"Who sells it"`
		Image   string    `json:"image,omitempty" jsonschema:"The address of a picture"`
		Price   money.Fen `json:"price_fen" jsonschema:"Before the coupon; 0: not known"`
		Coupon  *Coupon   `json:"coupon,omitempty" jsonschema:"Money off that can be taken before buying"`
		Final   money.Fen `json:"final_fen" jsonschema:"After the coupon"`
		Rebate  money.Fen `json:"rebate_fen" jsonschema:"What the user is promised for it, as an estimate"`
		Net     money.Fen `json:"net_fen" jsonschema:"After coupon and rebate"`
		URL     string    `json:"url" jsonschema:"Opens the offer; orders through it are the user's"`
		Token   string    `json:"token,omitempty" jsonschema:"A code to copy into the shop's app"`
		Expires time.Time `json:"expires_at,omitzero" jsonschema:"Until when the link works; left out: not known"`
		Notes   []string  `json:"notes,omitempty" jsonschema:"What to know, in sentences for people"`
		At      time.Time `json:"at" jsonschema:"When the link was made"`
	}

	// Coupon is money off.
	Coupon struct {
		Amount    money.Fen `json:"amount_fen" jsonschema:"How much"`
		Threshold money.Fen `json:"threshold_fen" jsonschema:"The price from which it counts"`
		Starts    time.Time `json:"starts_at,omitzero" jsonschema:"From when"`
		Ends      time.Time `json:"ends_at,omitzero" jsonschema:"Until when"`
	}

	// Orders is a page of order lines.
	Orders struct {
		Items []Order `json:"items" jsonschema:"The lines"`
		Next  string  `json:"next,omitempty" jsonschema:"The cursor of the next page; left out on the last"`
	}

	// Order is one line of an order: the unit of rebates.
	Order struct {
		ID       int64     `json:"id" jsonschema:"Ours"`
		Network  string    `json:"network" jsonschema:"taobao, jd, pdd …"`
		Number   string    `json:"number" jsonschema:"The order's number, as its buyer sees it"`
		Item     string    `json:"item,omitempty" jsonschema:"The network's id of the goods"`
		Title    string    `json:"title" jsonschema:"What was bought"`
		Shop     string    `json:"shop,omitempty" jsonschema:"Who sold it"`
		Image    string    `json:"image,omitempty" jsonschema:"The address of a picture"`
		Quantity int       `json:"quantity" jsonschema:"How many; 0: not known"`
		State    string    `json:"state" jsonschema:"unpaid, paid, received, settled or invalid"`
		Why      string    `json:"why,omitempty" jsonschema:"Of an invalid one: a stable key, as order.cancelled"`
		Price    money.Fen `json:"price_fen" jsonschema:"What was paid"`
		Refunded money.Fen `json:"refunded_fen" jsonschema:"Of that, given back"`
		Disputed bool      `json:"disputed" jsonschema:"Whether an after-sale case is open; the money waits for its end"`
		Matched  string    `json:"matched_by" jsonschema:"How it was found to be the user's: tag, member, split, slot, item, kin, suffix, claim, proof or staff"`
		Created  time.Time `json:"created_at,omitzero" jsonschema:"When it was placed"`
		Paid     time.Time `json:"paid_at,omitzero" jsonschema:"When it was paid"`
		Received time.Time `json:"received_at,omitzero" jsonschema:"When the goods were received"`
		Settled  time.Time `json:"settled_at,omitzero" jsonschema:"When the network has settled it"`
		Rebate   *Rebate   `json:"rebate,omitempty" jsonschema:"What it brings; left out until that is computed"`
	}

	// Rebate is what an order line brings its user.
	Rebate struct {
		Stage    string       `json:"stage" jsonschema:"nothing, pending or available"`
		Amount   money.Fen    `json:"amount_fen" jsonschema:"How much"`
		Promised money.Fen    `json:"promised_fen" jsonschema:"What the link had promised; 0: no link is known"`
		Due      time.Time    `json:"due_at,omitzero" jsonschema:"When it becomes available, as soon as that is known"`
		Trace    *Computation `json:"trace,omitempty" jsonschema:"How it was computed; of a single order only"`
	}

	// Computation is how a rebate was computed, for a pencil: base = commission − fee;
	// rebate = the parts of it, at most cap.
	Computation struct {
		Commission money.Fen `json:"commission_fen" jsonschema:"What the network pays, or is expected to"`
		Fee        money.Bps `json:"fee_bps" jsonschema:"What is taken from it before it is shared"`
		Base       money.Fen `json:"base_fen" jsonschema:"What is left to share"`
		Share      money.Bps `json:"share_bps" jsonschema:"The sum of the shares"`
		Parts      []Part    `json:"parts" jsonschema:"What it is made of"`
		Capped     bool      `json:"capped" jsonschema:"Whether the most that a line brings was reached"`
		Limited    bool      `json:"limited" jsonschema:"Whether there was no more commission to share"`
		Small      bool      `json:"below_minimum" jsonschema:"Whether it was too little to be booked"`
		Rebate     money.Fen `json:"rebate_fen" jsonschema:"What came out"`
	}

	// Part is a part of a computation.
	Part struct {
		Kind   string    `json:"kind" jsonschema:"base, level, network, category or rule"`
		Name   string    `json:"name,omitempty" jsonschema:"Of a rule"`
		Share  money.Bps `json:"share_bps" jsonschema:"Of the base; 0 for a part that is no share"`
		Amount money.Fen `json:"amount_fen" jsonschema:"What a part that is no share brought; 0 for a share"`
	}

	// Wallet is where a user's money is.
	Wallet struct {
		Pending   money.Fen `json:"pending_fen" jsonschema:"Waits for settlement or hold"`
		Available money.Fen `json:"available_fen" jsonschema:"Can be withdrawn"`
		Reserved  money.Fen `json:"reserved_fen" jsonschema:"A withdrawal is on its way"`
		Paid      money.Fen `json:"paid_fen" jsonschema:"Has been paid out, ever"`
		Debt      money.Fen `json:"debt_fen" jsonschema:"Was taken back after it had been paid out; coming rebates cover it"`
	}

	// Statement is a page of moves.
	Statement struct {
		Items []Entry `json:"items" jsonschema:"The moves"`
		Next  string  `json:"next,omitempty" jsonschema:"The cursor of the next page; left out on the last"`
	}

	// Entry is one move of a user's money.
	Entry struct {
		ID         int64     `json:"id" jsonschema:"Ours, in order of booking"`
		Kind       string    `json:"kind" jsonschema:"Why: earn, adjust, settle, revoke, claw, repay, reserve, release, payout, bonus …"`
		Amount     money.Fen `json:"amount_fen" jsonschema:"How much was moved"`
		Effect     money.Fen `json:"effect_fen" jsonschema:"What that does to the sum of all that is the user's"`
		From       string    `json:"from,omitempty" jsonschema:"The user's pocket that it left: pending, available, reserved or debt; left out: from outside"`
		To         string    `json:"to,omitempty" jsonschema:"The user's pocket that it came to; left out: to the outside"`
		Withdrawal int64     `json:"withdrawal,omitempty" jsonschema:"The withdrawal that it is about"`
		Note       string    `json:"note,omitempty" jsonschema:"A title for people"`
		At         time.Time `json:"at" jsonschema:"When it was booked"`
	}

	// Withdrawals is a page of withdrawals.
	Withdrawals struct {
		Items []Withdrawal `json:"items" jsonschema:"The withdrawals"`
		Next  string       `json:"next,omitempty" jsonschema:"The cursor of the next page; left out on the last"`
	}

	// WithdrawalRequest asks for money.
	WithdrawalRequest struct {
		Amount money.Fen `json:"amount_fen,omitempty" jsonschema:"How much; leave it out with all"`
		All    bool      `json:"all,omitempty" jsonschema:"All that is available, up to the most of one withdrawal"`
	}

	// Withdrawal is a request to be paid, and what became of it.
	Withdrawal struct {
		ID      int64     `json:"id" jsonschema:"Ours"`
		Amount  money.Fen `json:"amount_fen" jsonschema:"How much"`
		State   string    `json:"state" jsonschema:"requested, reviewing, approved, sending, confirming, unknown, paid, failed, refused or cancelled"`
		Reason  string    `json:"reason,omitempty" jsonschema:"A stable key: why a person looks at it, or why it failed or was refused"`
		Payee   string    `json:"payee" jsonschema:"Where the money goes, masked"`
		Confirm string    `json:"confirm_url,omitempty" jsonschema:"Where its payee confirms it; only while that is waited for"`
		At      time.Time `json:"at" jsonschema:"When it was asked for"`
		Changed time.Time `json:"changed_at" jsonschema:"When its state last changed"`
	}

	// Claims is a page of claims.
	Claims struct {
		Items []Claim `json:"items" jsonschema:"The claims"`
		Next  string  `json:"next,omitempty" jsonschema:"The cursor of the next page; left out on the last"`
	}

	// ClaimRequest says that an order is the user's.
	ClaimRequest struct {
		Number string `json:"number" jsonschema:"The order's number"`
	}

	// ProofRequest is what only the buyer of an order sees.
	ProofRequest struct {
		Paid money.Fen `json:"paid_fen" jsonschema:"For the whole order, or for one of its lines"`
		Day  string    `json:"day" jsonschema:"On which it was placed, in Beijing, as 2026-03-01"`
	}

	// AppealRequest asks for a person to look again.
	AppealRequest struct {
		Words string `json:"words,omitempty" jsonschema:"What the person should know"`
	}

	// Claim is a user's word that an order is theirs.
	Claim struct {
		ID         int64     `json:"id" jsonschema:"Ours"`
		Network    string    `json:"network" jsonschema:"taobao, jd, pdd …"`
		Number     string    `json:"number" jsonschema:"The order's number"`
		State      string    `json:"state" jsonschema:"waiting, iced, contested, appealed, granted, refused or expired"`
		Note       string    `json:"note,omitempty" jsonschema:"Why, as a stable key or in words of staff"`
		Appealable bool      `json:"appealable" jsonschema:"Whether a person can be asked to look again"`
		At         time.Time `json:"at" jsonschema:"When it was made"`
		Until      time.Time `json:"until" jsonschema:"By when there is an answer"`
	}

	// PayeeRequest is a payout account. It is personal data.
	PayeeRequest struct {
		Method  string `json:"method" jsonschema:"alipay or wechat"`
		Account string `json:"account" jsonschema:"The account there"`
		Name    string `json:"name" jsonschema:"The name under which the account is known there"`
	}

	// Payee is a payout account as it is shown.
	Payee struct {
		Method  string    `json:"method,omitempty" jsonschema:"alipay or wechat; left out: there is none"`
		Masked  string    `json:"masked,omitempty" jsonschema:"Enough of it for its owner to know it again"`
		Changed time.Time `json:"changed_at,omitzero" jsonschema:"When it was last changed"`
	}
)

// moment is a time as it is written: wherever we are, and however it was kept.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
