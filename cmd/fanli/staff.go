package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/configs"
	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/proof"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// A house is what this process has of staff: the stations of the targets that are here,
// the ways to the others, and where staff speak and are told.
type house struct {
	stations map[string]desk.Service // of the targets that are here
	all      map[string]desk.Service // and of those that are asked elsewhere
	front    *desk.Front
	alarm    *desk.Alarm
	roster   *desk.Roster
	robot    *robotChannel // nil for none
	started  time.Time
	proved   atomic.Pointer[proved]
}

// A proved is what the last proof of this process has found.
type proved struct {
	report proof.Report
	at     time.Time
}

// atElsewhere enters the way to another process's station.
func (h *house) atElsewhere(target string, s desk.Service) {
	if h.all == nil {
		h.all = map[string]desk.Service{}
	}
	h.all[target] = s
}

// openDesks makes the stations of the targets that are here, and the front where bot
// runs.
func (a *app) openDesks(ctx context.Context, s surroundings) error {
	h := &a.house
	h.stations, h.started = map[string]desk.Service{}, a.now()
	zone := a.cfg.Location()
	for name, part := range map[string]func() map[string]desk.Handler{
		userTarget: func() map[string]desk.Handler {
			h.roster = &desk.Roster{Store: a.db.Staff(), Now: a.now}
			return desk.Register{People: a.users, Roster: h.roster, Joined: a.db.of[userTarget].Joined, Now: a.now, Zone: zone}.Handlers()
		},
		orderTarget: func() map[string]desk.Handler {
			db := a.db.of[orderTarget]
			return desk.Ordering{
				Book: a.orders, Unowned: db.Unowned, Day: db.Placed, Wake: func() { a.runner.Wake() }, Stall: a.cfg.Sync.StallAfter, Now: a.now, Zone: zone,
			}.Handlers()
		},
		rebateTarget: func() map[string]desk.Handler {
			return desk.Sharing{Clerk: a.rebates, Now: a.now, Budgets: func() []string { return slices.Sorted(maps.Keys(a.conf().Rebate.Budgets)) }}.Handlers()
		},
		paymentTarget: func() map[string]desk.Handler {
			return desk.Payment{
				Payouts: a.payouts, Board: a.board, Wallets: a.purse, Acts: a.db.Acts(), Day: a.db.of[paymentTarget].Entered, Prove: a.proveSoon,
				Charges: a.db.Charges().Newest, Bills: a.db.Reconciliations().Comparisons, Closed: a.db.Reconciliations().Months,
				Own: a.ownMoney, Limits: func() withdraw.Limits { return a.limitsOf(a.conf()) }, Now: a.now, Zone: zone,
			}.Handlers()
		},
		botTarget: func() map[string]desk.Handler { return a.channelDesk().Handlers() },
	} {
		if !a.here(name) {
			continue
		}
		station := desk.NewStation(map[string]desk.Handler{"astatus": a.targetStatus(name), desk.AlertsAct: a.targetAlerts(name)}, part())
		h.stations[name] = station
		h.atElsewhere(name, station)
	}
	if a.here(botTarget) {
		a.openFront(s)
	}
	if h.roster == nil || a.cfg.Staff.Owner == "" || s.visit {
		return nil
	}
	owner, err := desk.ParseIdentity(a.cfg.Staff.Owner)
	if err != nil {
		return err
	}
	return h.roster.First(ctx, owner)
}

// ownMoney reports whether a user's money is that of a member of staff, on whatever
// channel.
func (a *app) ownMoney(ctx context.Context, userID, member int64) (bool, error) {
	is, err := a.ask.users.Identities(ctx, userID)
	if err != nil {
		return false, err
	}
	return desk.IsStaff(ctx, a.house.all, is, member)
}

// openFront makes where staff speak and are told.
func (a *app) openFront(s surroundings) {
	h := &a.house
	h.front = &desk.Front{
		Stations: h.all, Pendings: a.db.Pendings(), Now: a.now, Code: func() string { return desk.Digits(rand.Reader) },
	}
	h.alarm = &desk.Alarm{Stations: h.all, Store: a.db.Alerts(), Pause: a.cfg.Staff.Pause, Now: a.now}
	a.openRobot(s)
}

// targetStatus says how a target is.
func (a *app) targetStatus(name string) desk.Handler {
	return func(ctx context.Context, _ desk.Act) (desk.Answer, error) {
		waiting, _, err := a.outbox(name).Depth(ctx)
		if err != nil {
			return desk.Answer{}, err
		}
		dead, err := a.outbox(name).Buried(ctx)
		return desk.Answer{Items: []desk.Item{desk.TargetItem(name, version, a.house.started, waiting, dead)}}, err
	}
}

// targetAlerts says what staff should hear of a target.
func (a *app) targetAlerts(name string) desk.Handler {
	return func(ctx context.Context, _ desk.Act) (out desk.Answer, err error) {
		dead, err := a.outbox(name).Buried(ctx)
		if dead > 0 {
			out.Items = append(out.Items, desk.DeadAlert(name, dead))
		}
		if p := a.house.proved.Load(); name == paymentTarget && p != nil && !p.report.OK() {
			out.Items = append(out.Items, desk.BooksAlert(p.at))
		}
		return out, err
	}
}

// proveSoonMax is how long staff wait for a proof of the books; larger books are proved
// at night.
const proveSoonMax = 3 * time.Second

// proveSoon proves the books now if that is quick, and else says what was found last.
func (a *app) proveSoon(ctx context.Context) (proof.Report, time.Time, error) {
	quick, cancel := context.WithTimeout(ctx, proveSoonMax)
	defer cancel()
	rep, err := a.prove(quick)
	if err == nil {
		a.house.proved.Store(&proved{rep, a.now()})
	}
	if p := a.house.proved.Load(); p != nil {
		return p.report, p.at, nil
	}
	if quick.Err() != nil {
		err = nil // at night there is time
	}
	return proof.Report{}, time.Time{}, err
}

// staffPlans are the jobs by which staff are told.
func (a *app) staffPlans(c configs.Config) []jobs.Plan {
	plans := []jobs.Plan{
		{Job: jobs.Func{As: "bot/alerts", Do: a.raiseAlarms}, Every: "@every 30s", Calm: true},
		{Job: jobs.Func{As: "bot/staff-sweep", Do: a.sweepDesk}, Every: "@every 6h", Calm: true}}
	if c.Staff.Report != "" {
		plans = append(plans, jobs.Plan{Job: jobs.Func{As: "bot/day-report", Do: a.reportDay}, Every: c.Staff.Report, Calm: true})
	}
	return plans
}

// deskKept is how long it is kept what staff were asked to confirm and told.
const deskKept = 30 * 24 * time.Hour

// sweepDesk forgets what staff were asked and told long ago; what they did stays in the
// record of acts.
func (a *app) sweepDesk(ctx context.Context) (int, error) {
	return a.db.of[botTarget].SweepDesk(ctx, a.now().Add(-deskKept))
}

// raiseAlarms tells staff what they should hear unasked.
func (a *app) raiseAlarms(ctx context.Context) (int, error) {
	n, err := a.house.alarm.Run(ctx)
	if err != nil {
		a.log.Warn("staff are not told everything", "error", err)
	}
	return n, nil
}

// reportDay tells staff how the day before was.
func (a *app) reportDay(ctx context.Context) (int, error) {
	return a.house.alarm.Report(ctx, a.now().In(a.cfg.Location()).AddDate(0, 0, -1).Format(time.DateOnly))
}

// inTelegram lets staff speak in their group on Telegram, and be told there.
func (a *app) inTelegram(t *telegram.Channel) {
	if a.house.front == nil || a.cfg.Telegram.AdminChatID == 0 {
		return
	}
	a.bot.Staff = &bot.Staff{Front: a.house.front, Group: func(m bot.Message) bool {
		ctx, cancel := context.WithTimeout(context.Background(), deliverTimeout)
		defer cancel()
		return t.InStaffGroup(ctx, m)
	}}
	a.house.alarm.Sinks = append(a.house.alarm.Sinks, telegramSink{a, t})
}

// staffMenu are the commands that administrators of the staff group see.
func staffMenu() (out []telegram.Command) {
	zh, en := bot.StaffCommands("zh"), bot.StaffCommands("en")
	for i := range zh {
		out = append(out, telegram.Command{Name: zh[i].Name, Zh: zh[i].Help, En: en[i].Help})
	}
	return out
}

func staffCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "staff",
		Short: "Say who may command from the staff group, and as what",
		Long: `A member of staff commands from the group telegram.admin_chat_id, as owner, finance,
support, operator or auditor (docs/staff.md). Somebody with several identities is one
member: give the second one the name of the first. The last owner cannot be removed.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(staffList(std, f), staffAdd(std, f), staffRemove(std, f))
	return cmd
}

func withRoster(ctx context.Context, std stdio, f *flags, fn func(*desk.Roster) error) error {
	return withStore(ctx, std, f, func(db *stores, _ configs.Config) error {
		if _, err := db.Migrate(ctx); err != nil {
			return err
		}
		return fn(&desk.Roster{Store: db.Staff(), Now: time.Now})
	})
}

func staffList(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the members", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRoster(cmd.Context(), std, f, func(r *desk.Roster) error {
				all, err := r.Store.Staff(cmd.Context())
				for _, m := range all {
					_, _ = fmt.Fprintf(std.out, "%4d  %-9s %-20s since %s ", m.ID, m.Role, m.Name, m.Since.Format(time.DateOnly))
					for _, i := range m.Identities {
						_, _ = fmt.Fprintf(std.out, " %s:%s", i.Channel, i.External)
					}
					_, _ = fmt.Fprintln(std.out)
				}
				if err == nil && len(all) == 0 {
					_, err = fmt.Fprintln(std.out, "nobody is staff; begin with an owner: fanli staff add telegram:12345 owner --name NAME")
				}
				return err
			})
		},
	}
}

func staffAdd(std stdio, f *flags) *cobra.Command {
	var name, as string
	cmd := &cobra.Command{
		Use: "add CHANNEL:ID ROLE --name NAME", Short: "Make somebody a member, or change what a member is", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := desk.ParseIdentity(args[0])
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("%q is not a channel and a number, like telegram:12345", args[0])}
			}
			if !slices.Contains(desk.Roles(), desk.Role(args[1])) {
				return exitError{exitUsage, fmt.Errorf("%q is not one of %v", args[1], desk.Roles())}
			}
			return withRoster(cmd.Context(), std, f, func(r *desk.Roster) error {
				m, same, err := r.Add(cmd.Context(), i, desk.Role(args[1]), name, actorNamed(as))
				if err != nil {
					return staffMistake(err)
				}
				word := "is"
				if same {
					word = "was already"
				}
				_, err = fmt.Fprintf(std.out, "%s (%d) %s %s\n", m.Name, m.ID, word, m.Role)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what colleagues call them; that of a member who is there adds another identity to them")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

func staffRemove(std stdio, f *flags) *cobra.Command {
	var reason, as string
	cmd := &cobra.Command{
		Use: "remove NUMBER", Short: "End somebody's being staff", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a member; `fanli staff list` shows them", args[0])}
			}
			return withRoster(cmd.Context(), std, f, func(r *desk.Roster) error {
				m, err := r.Remove(cmd.Context(), id, actorNamed(as), reason)
				if err != nil {
					return staffMistake(err)
				}
				_, err = fmt.Fprintf(std.out, "%s (%d) is not %s any more\n", m.Name, m.ID, m.Role)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

// staffMistake puts a refusal into words for a terminal.
func staffMistake(err error) error {
	switch fault.ReasonOf(err) {
	case "desk.last_owner":
		return fmt.Errorf("this is the last owner: make somebody else owner first")
	case "desk.no_member":
		return fmt.Errorf("there is no such member of staff")
	case "desk.no_name":
		return exitError{exitUsage, fmt.Errorf("--name: say what colleagues call them, in 40 characters at most")}
	default:
		return err
	}
}
