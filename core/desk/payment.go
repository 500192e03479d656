package desk

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/proof"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// listMax bounds what is listed at once: it has to fit on a screen.
const listMax = 8

// A Payment is the part of the payment target's station that knows money. All fields
// but Prove are needed.
type Payment struct {
	Payouts *withdraw.Desk
	Board   *control.Board
	Wallets credit.Wallets
	Acts    audit.Reader
	// Day returns what was entered in the ledger from one time until another.
	Day func(ctx context.Context, from, until time.Time) ([]Entered, error)
	// Prove proves the books, or says what the last proof has found, at a zero time
	// where there was none; optional.
	Prove func(ctx context.Context) (proof.Report, time.Time, error)
	// Charges returns the newest charges in some stages, Bills what the comparisons of a
	// month with others' bills have found, and Closed which months are closed; optional.
	Charges func(ctx context.Context, count int, stages ...collect.Stage) ([]collect.Due, error)
	Bills   func(ctx context.Context, month string) ([]reconcile.Summary, error)
	Closed  func(ctx context.Context) ([]reconcile.Month, error)
	// Own reports whether a user is a member of staff; optional.
	Own func(ctx context.Context, user, member int64) (bool, error)
	// Limits are those of withdrawals.
	Limits func() withdraw.Limits
	Now    func() time.Time
	Zone   *time.Location
}

// An Entered is what the entries of one kind came to.
type Entered struct {
	Kind  ledger.Kind
	Count int64
	Sum   money.Fen
}

// Handlers are its acts.
func (p Payment) Handlers() map[string]Handler {
	return map[string]Handler{
		"astatus": p.status, "todo": p.todo, "user": p.wallet, "report": p.report,
		"payouts": p.list, "approve": p.approve, "reject": p.reject,
		"switches": p.switches, "kill": p.turn(true, anyScope), "revive": p.turn(false, anyScope),
		"pause": p.turn(true, networkScope), "resume": p.turn(false, networkScope),
		"prove": p.prove, "audit": p.audit, AlertsAct: p.alerts,
	}
}

func (p Payment) waiting(ctx context.Context) ([]withdraw.Withdrawal, error) {
	return p.Payouts.Waiting(ctx, 200)
}

func (p Payment) status(ctx context.Context, _ Act) (Answer, error) {
	on, err := p.on(ctx)
	if err != nil {
		return Answer{}, err
	}
	var out Answer
	for _, s := range on {
		out.Items = append(out.Items, switchItem(s))
	}
	return out, nil
}

func (p Payment) todo(ctx context.Context, _ Act) (Answer, error) {
	out, err := p.takings(ctx)
	if err != nil {
		return out, err
	}
	for i := range out.Items {
		out.Items[i] = alertOf(out.Items[i]).Items[0]
	}
	ws, err := p.waiting(ctx)
	if err != nil {
		return out, err
	}
	var review, unclear int64
	var oldest time.Time
	for _, w := range ws {
		switch w.State {
		case withdraw.Requested, withdraw.Reviewing:
			review++
		case withdraw.Unknown:
			unclear++
		default: // goes on by itself
			continue
		}
		if oldest.IsZero() || w.Changed.Before(oldest) {
			oldest = w.Changed
		}
	}
	if review+unclear == 0 {
		return out, nil
	}
	i := Item{Title: LWithdrawal, Fields: []Field{count(LReviewing, review)}, Steps: []Step{{Name: "payouts"}}}
	if unclear > 0 {
		i.Fields = append(i.Fields, count(LUnknown, unclear))
	}
	i.Fields = append(i.Fields, moment(LOldest, oldest))
	out.Items = append([]Item{i}, out.Items...)
	return out, nil
}

func (p Payment) wallet(ctx context.Context, a Act) (Answer, error) {
	id, err := number(a.arg(0))
	if err != nil {
		return Answer{}, err
	}
	w, err := p.Wallets.Wallet(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	paid, err := p.Wallets.Paid(ctx, id)
	i := Item{Title: LWallet, Fields: []Field{
		amount(LPending, w.Pending), amount(LAvailable, w.Available), amount(LReserved, w.Reserved), amount(LPaid, paid),
	}}
	if w.Debt > 0 {
		i.Fields = append(i.Fields, amount(LDebt, w.Debt))
		i.Wrong = true
	}
	return Answer{Items: []Item{i}}, err
}

func (p Payment) list(ctx context.Context, _ Act) (Answer, error) {
	ws, err := p.waiting(ctx)
	if err != nil {
		return Answer{}, err
	}
	slices.SortStableFunc(ws, func(a, b withdraw.Withdrawal) int { return a.At.Compare(b.At) })
	var out Answer
	for _, w := range ws[:min(len(ws), listMax)] {
		out.Items = append(out.Items, withdrawalItem(w, true))
	}
	out.More = len(ws) - len(out.Items)
	return out, nil
}

// withdrawalItem shows a withdrawal, with what can be done about it.
func withdrawalItem(w withdraw.Withdrawal, steps bool) Item {
	i := Item{Title: LWithdrawal, ID: strconv.FormatInt(w.ID, 10), Fields: []Field{
		amount(LAmount, w.Amount), text(LUser, strconv.FormatInt(w.User, 10)), text(LPayee, w.Payee.String()),
		word(LState, string(w.State)), moment(LAt, w.At),
	}}
	if w.Reason != "" {
		i.Fields = append(i.Fields, word(LReason, w.Reason))
	}
	if w.First != "" {
		i.Fields = append(i.Fields, text(LFirst, w.First))
	}
	if w.Risk > 0 {
		i.Fields = append(i.Fields, count(LRisk, int64(w.Risk)))
		for _, s := range strings.Split(w.Signs, ",") {
			i.Fields = append(i.Fields, word("", strings.Replace(s, "risk.", "sign_", 1)))
		}
	}
	if steps && (w.State == withdraw.Reviewing || w.State == withdraw.Requested) {
		i.Steps = []Step{{Name: "approve", Args: []string{i.ID}}, {Name: "reject", Args: []string{i.ID}}}
	}
	return i
}

// undecided returns a withdrawal that a person can still decide about, or what came of
// it.
func (p Payment) undecided(ctx context.Context, a Act, to withdraw.State) (w withdraw.Withdrawal, err error) {
	id, err := number(a.arg(0))
	if err != nil {
		return w, err
	}
	w, err = p.Payouts.Store.Withdrawal(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return w, fault.New(fault.NotFound, "desk.no_withdrawal")
	}
	if err == nil && a.Dry && !slices.Contains(w.State.Next(), to) {
		err = fault.New(fault.Conflict, "withdraw.wrong_state")
	}
	return w, err
}

func (p Payment) approve(ctx context.Context, a Act) (Answer, error) {
	w, err := p.undecided(ctx, a, withdraw.Approved)
	if err != nil {
		return Answer{}, err
	}
	was := w.State
	to := withdraw.Approved
	four := p.Limits().FourEyes > 0 && w.Amount > p.Limits().FourEyes
	second := four && w.First == ""
	if second {
		to = withdraw.Reviewing
	}
	if four {
		if err := p.notOwn(ctx, w.User, a.Staff); err != nil {
			return Answer{}, err
		}
	}
	if a.Dry {
		if four && w.First == a.Actor() {
			return Answer{}, fault.New(fault.Denied, "withdraw.same_person")
		}
		return Answer{Items: []Item{decided(w, was, to)}, Second: second}, nil
	}
	now, err := p.Payouts.Approve(ctx, w.ID, a.Actor())
	switch {
	case fault.ReasonOf(err) == "withdraw.same_person": // its first answer got lost
		return Answer{Items: []Item{decided(w, was, was)}, Same: true, Second: true}, nil
	case err != nil:
		return Answer{}, err
	}
	return Answer{Items: []Item{decided(now, was, now.State)}, Second: now.State == withdraw.Reviewing, Same: was == now.State && now.State != withdraw.Reviewing}, nil
}

// notOwn refuses the word of a member about their own money, where it takes two people:
// whoever gets it is neither of them.
func (p Payment) notOwn(ctx context.Context, user, member int64) error {
	if p.Own == nil {
		return nil
	}
	own, err := p.Own(ctx, user, member)
	if err == nil && own {
		err = fault.New(fault.Denied, "desk.own_withdrawal")
	}
	return err
}

// Refusals are the reasons of refusals; each has a text that the user reads.
func Refusals() []string {
	return []string{"review.refused", "payout.no_such_account", "payout.name_mismatch", "payout.limit", "payout.refused"}
}

func (p Payment) reject(ctx context.Context, a Act) (Answer, error) {
	reason, _, _ := strings.Cut(a.Reason, " ")
	if !slices.Contains(Refusals(), reason) {
		return Answer{}, fault.New(fault.Invalid, "desk.no_refusal")
	}
	w, err := p.undecided(ctx, a, withdraw.Refused)
	if err != nil {
		return Answer{}, err
	}
	was := w.State
	if a.Dry {
		i := decided(w, was, withdraw.Refused)
		i.Fields = append(i.Fields, word(LReason, reason))
		return Answer{Items: []Item{i}}, nil
	}
	now, err := p.Payouts.Refuse(ctx, w.ID, a.Actor(), reason)
	if err != nil {
		return Answer{}, err
	}
	i := decided(now, was, now.State)
	i.Fields = append(i.Fields, word(LReason, now.Reason))
	return Answer{Items: []Item{i}, Same: was == now.State}, nil
}

// decided shows what becomes of a withdrawal.
func decided(w withdraw.Withdrawal, was, is withdraw.State) Item {
	return Item{Title: LWithdrawal, ID: strconv.FormatInt(w.ID, 10), Fields: []Field{
		amount(LAmount, w.Amount), text(LUser, strconv.FormatInt(w.User, 10)), text(LPayee, w.Payee.String()), change(LState, string(was), string(is)),
	}}
}

// scopes are what people call the scopes, beside their own names.
var scopes = map[string]control.Scope{
	"提现": control.Payouts, "打款": control.Payouts, "入账": control.Credits, "只读": control.ReadOnly, "维护": control.ReadOnly,
}

func anyScope(s string) (control.Scope, error) {
	if scope, ok := scopes[s]; ok {
		return scope, nil
	}
	scope := control.Scope(strings.ToLower(s))
	if scope.Validate() != nil {
		return "", fault.New(fault.Invalid, "desk.no_scope")
	}
	return scope, nil
}

// networks are what people call the networks.
var networks = map[string]string{"淘宝": "taobao", "天猫": "taobao", "京东": "jd", "拼多多": "pdd", "唯品会": "vip"}

func networkScope(s string) (control.Scope, error) {
	if n, ok := networks[s]; ok {
		s = n
	}
	scope := control.Network(strings.ToLower(s))
	if scope.Validate() != nil {
		return "", fault.New(fault.Invalid, "desk.no_scope")
	}
	return scope, nil
}

// on returns the switches that are on.
func (p Payment) on(ctx context.Context) ([]control.Switch, error) {
	all, err := p.Board.List(ctx)
	return slices.DeleteFunc(all, func(s control.Switch) bool { return !s.On }), err
}

func switchItem(s control.Switch) Item {
	return Item{Title: LSwitch, ID: string(s.Scope), Wrong: true, Fields: []Field{
		word(LState, string(WOn)), text(LBy, s.By), moment(LSince, s.Since), text(LReason, s.Why),
	}}
}

func (p Payment) switches(ctx context.Context, _ Act) (Answer, error) {
	on, err := p.on(ctx)
	var out Answer
	for _, s := range on {
		out.Items = append(out.Items, switchItem(s))
	}
	return out, err
}

// turn returns the handler that turns switches on, or off.
func (p Payment) turn(on bool, read func(string) (control.Scope, error)) Handler {
	names := map[bool]string{true: string(WOn), false: string(WOff)}
	return func(ctx context.Context, a Act) (Answer, error) {
		scope, err := read(a.arg(0))
		if err != nil {
			return Answer{}, err
		}
		all, err := p.on(ctx)
		if err != nil {
			return Answer{}, err
		}
		was := slices.ContainsFunc(all, func(s control.Switch) bool { return s.Scope == scope })
		out := Answer{Same: was == on, Items: []Item{{Title: LSwitch, ID: string(scope), Fields: []Field{change(LState, names[was], names[on])}}}}
		if a.Dry || was == on {
			return out, nil
		}
		return out, p.Board.Set(ctx, control.Switch{Scope: scope, On: on, By: a.Actor(), Why: a.Reason})
	}
}

func (p Payment) prove(ctx context.Context, _ Act) (Answer, error) {
	var rep proof.Report
	var at time.Time
	var err error
	if p.Prove != nil {
		rep, at, err = p.Prove(ctx)
	}
	if err != nil || at.IsZero() {
		return Answer{Items: []Item{{Title: LBooks, Fields: []Field{word(LState, string(WUnproved))}}}}, err
	}
	return Answer{Items: []Item{booksItem(rep, at)}}, nil
}

func booksItem(rep proof.Report, at time.Time) Item {
	i := Item{Title: LBooks, Wrong: !rep.OK(), Fields: []Field{
		word(LState, string(WSound)), moment(LAt, at), count(LEntries, rep.Entries), amount(LSum, rep.Sum),
	}}
	if !rep.OK() {
		i.Fields[0] = word(LState, string(WUnsound))
	}
	if rep.Head != "" {
		i.Fields = append(i.Fields, text(LHead, rep.HeadDay+" "+rep.Head[:min(len(rep.Head), 16)]))
	}
	return i
}

// audit lists what staff have done: of all, of one actor, or on one day.
func (p Payment) audit(ctx context.Context, a Act) (Answer, error) {
	f := audit.Filter{Count: listMax + 1}
	if s := a.arg(0); s != "" {
		if day, err := time.ParseInLocation(time.DateOnly, s, p.Zone); err == nil {
			f.From, f.Until = day, day.AddDate(0, 0, 1)
		} else {
			f.Actor = s
		}
	}
	acts, err := p.Acts.Acts(ctx, f)
	if err != nil {
		return Answer{}, err
	}
	var out Answer
	for _, x := range acts[:min(len(acts), listMax)] {
		i := Item{Title: LAct, ID: strconv.FormatInt(x.ID, 10), Fields: []Field{
			moment(LAt, x.At), text(LBy, x.Actor), text(LName, x.What), text(LOn, x.On), change(LChange, x.Before, x.After),
		}}
		if x.Reason != "" {
			i.Fields = append(i.Fields, word(LReason, x.Reason))
		}
		out.Items = append(out.Items, i)
	}
	out.More = len(acts) - len(out.Items)
	return out, nil
}

func (p Payment) report(ctx context.Context, a Act) (Answer, error) {
	from, until, err := Day(a.arg(0), p.Now(), p.Zone)
	if err != nil {
		return Answer{}, err
	}
	all, err := p.Day(ctx, from, until)
	if err != nil {
		return Answer{}, err
	}
	sums := map[ledger.Kind]money.Fen{}
	for _, e := range all {
		sums[e.Kind] += e.Sum
	}
	given := sums[ledger.Campaign] + sums[ledger.Bonus] + sums[ledger.Invite]
	return Answer{Items: []Item{{Title: LWallet, Fields: []Field{
		amount(LEarned, sums[ledger.Earn]), amount(LClawed, sums[ledger.Claw]), amount(LGiven, given), amount(LPaidOut, sums[ledger.Payout]),
	}}}}, nil
}

// Day reads which day a report is about: "" and "today" and "今日" are today, then
// "yesterday" and "昨日", or a date.
func Day(s string, now time.Time, zone *time.Location) (from, until time.Time, err error) {
	y, m, d := now.In(zone).Date()
	from = time.Date(y, m, d, 0, 0, 0, 0, zone)
	switch strings.ToLower(s) {
	case "", "today", "今日", "今天":
	case "yesterday", "昨日", "昨天":
		from = from.AddDate(0, 0, -1)
	default:
		if from, err = time.ParseInLocation(time.DateOnly, s, zone); err != nil {
			return from, from, fault.New(fault.Invalid, "desk.no_day")
		}
	}
	return from, from.AddDate(0, 0, 1), nil
}
