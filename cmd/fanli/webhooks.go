package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	poster "fanli/adapters/webhook"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/webhook"
)

const hooksJob = "notification/webhooks"

// newHooks returns who tells integrators' programs.
func (a *app) newHooks() *webhook.Desk {
	return &webhook.Desk{
		Store: a.db.Webhooks(), Poster: poster.New(poster.Options{AllowPrivate: a.cfg.Webhooks.AllowPrivate}), Now: a.now,
		Timeout: a.cfg.Webhooks.Timeout, Keep: a.cfg.Webhooks.Keep, AllowPrivate: a.cfg.Webhooks.AllowPrivate,
		Wake: func() {
			if a.runner != nil {
				a.runner.Wake(hooksJob)
			}
		},
		Alarm: func(h webhook.Hook) {
			a.log.Error("a webhook is off: it did not take what it was told", "webhook", h, "why", h.Why, "failing since", h.Failing,
				"try", fmt.Sprintf("ask the integrator, then `fanli webhooks test %d` and `fanli webhooks resume %d`", h.ID, h.ID))
		},
	}
}

// hooksHear says what webhooks are made of.
func (a *app) hooksHear() []hearing {
	return []hearing{
		{event.UserJoined, a.hooks.UserJoined}, {event.OrderChanged, a.hooks.Hear}, {event.LedgerPosted, a.hooks.Hear},
		{event.WithdrawalChanged, a.hooks.Hear}, {event.ClaimChanged, a.hooks.Hear},
	}
}

// deliverHooks tells integrators' programs. That one does not answer is its business
// and stands in its log; that we cannot store it is ours.
func (a *app) deliverHooks(ctx context.Context) (int, error) { return a.hooks.Deliver(ctx) }

func webhooksCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "webhooks", Short: "Tell integrators' programs what happens to their users", Args: noArgs,
		Long: `A webhook is an address of an integrator to which signed messages are posted: orders,
rebates, withdrawals and claims that changed (docs/webhooks.md). Who changed what about
one stands in the record of acts. A running fanli delivers.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		hooksAdd(std, f), hooksList(std, f), hooksLog(std, f), hooksTest(std, f),
		hookChange(std, f, "pause", "Stop posting to a webhook; what happens meanwhile waits", (*webhook.Desk).Pause),
		hookChange(std, f, "resume", "Post again to a webhook that was paused or went off", (*webhook.Desk).Resume),
		hookChange(std, f, "rotate", "Give a webhook a new secret and show it, this once; the one before signs, too, for a day", (*webhook.Desk).Rotate),
		hookChange(std, f, "remove", "Forget a webhook with everything that waits for it", func(d *webhook.Desk, ctx context.Context, id int64, s webhook.Staff) (webhook.Hook, error) {
			return webhook.Hook{ID: id}, d.Remove(ctx, id, s)
		}),
		hookChange(std, f, "retry", "Let a delivery be tried again from the beginning, under the same id", func(d *webhook.Desk, ctx context.Context, id int64, s webhook.Staff) (webhook.Hook, error) {
			return webhook.Hook{ID: id}, d.Retry(ctx, id, s)
		}),
	)
	return cmd
}

// byStaff are the flags of who decides, and why.
func byStaff(cmd *cobra.Command) *webhook.Staff {
	s := &webhook.Staff{}
	cmd.Flags().StringVar(&s.By, "as", "", "your name, for the record")
	cmd.Flags().StringVar(&s.Reason, "reason", "", "why, for the record")
	return s
}

// named is a Staff as it is recorded.
func named(s webhook.Staff) webhook.Staff {
	return webhook.Staff{By: actorNamed(s.By), Reason: s.Reason}
}

// wrongHook says in the words of the command what is wrong.
func wrongHook(err error, id int64) error {
	switch {
	case fault.Is(err, fault.Invalid):
		return exitError{exitUsage, err}
	case fault.Is(err, fault.NotFound):
		return fmt.Errorf("there is none with the number %d", id)
	case fault.Is(err, fault.Conflict):
		return errors.New("there is a webhook with this name already")
	default:
		return err
	}
}

func hooksAdd(std stdio, f *flags) *cobra.Command {
	var h webhook.Hook
	var events []string
	cmd := &cobra.Command{Use: "add --name NAME --url https://… [--client NAME] [--events EVENT,…]", Short: "Enter a webhook and show its secret, this once", Args: noArgs}
	var all []string
	for _, n := range webhook.Events() {
		all = append(all, string(n))
	}
	cmd.Flags().StringVar(&h.Name, "name", "", "what it is called: small letters, digits and dashes")
	cmd.Flags().StringVar(&h.URL, "url", "", "where messages are posted: an https address without ? and #")
	cmd.Flags().StringVar(&h.Client, "client", "", "client of the API, of whose users it hears; without one it hears of all users")
	cmd.Flags().StringSliceVar(&events, "events", all, "what it hears")
	s := byStaff(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, e := range events {
			h.Events = append(h.Events, event.Name(strings.TrimSpace(e)))
		}
		return withPayouts(cmd.Context(), std, f, func(a *app) error {
			made, err := a.hooks.Add(cmd.Context(), h, named(*s))
			if err != nil {
				return wrongHook(err, 0)
			}
			_, err = fmt.Fprintf(std.out, "%s\nwebhook %d %s; this is the only time that its secret is shown\n", made.Secret.Reveal(), made.ID, made.Name)
			return err
		})
	}
	return cmd
}

// number reads the number of a webhook or delivery.
func number(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, exitError{exitUsage, fmt.Errorf("%q is not a number of one", text)}
	}
	return id, nil
}

// hookChange makes a command that does something with one webhook or delivery.
func hookChange(std stdio, f *flags, verb, short string, do func(*webhook.Desk, context.Context, int64, webhook.Staff) (webhook.Hook, error)) *cobra.Command {
	what := "webhook"
	if verb == "retry" {
		what = "delivery"
	}
	cmd := &cobra.Command{Use: verb + " " + strings.ToUpper(what), Short: short, Args: cobra.ExactArgs(1)}
	s := byStaff(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := number(args[0])
		if err != nil {
			return err
		}
		return withPayouts(cmd.Context(), std, f, func(a *app) error {
			h, err := do(a.hooks, cmd.Context(), id, named(*s))
			if err != nil {
				return wrongHook(err, id)
			}
			if verb == "rotate" {
				_, _ = fmt.Fprintln(std.out, h.Secret.Reveal())
			}
			_, err = fmt.Fprintf(std.out, "%s %d: %s\n", what, id, verb)
			return err
		})
	}
	return cmd
}

func hooksTest(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{Use: "test WEBHOOK", Short: "Post a test message now and say what came back", Args: cobra.ExactArgs(1)}
	s := byStaff(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := number(args[0])
		if err != nil {
			return err
		}
		return withPayouts(cmd.Context(), std, f, func(a *app) error {
			t, err := a.hooks.Ping(cmd.Context(), id, named(*s))
			if err != nil {
				return wrongHook(err, id)
			}
			_, err = fmt.Fprintln(std.out, outcome(t))
			if err == nil && t.Reason != "" {
				err = exitError{code: exitFailed}
			}
			return err
		})
	}
	return cmd
}

// outcome is what came of a try, in words.
func outcome(t webhook.Try) string {
	words := "taken"
	if t.Reason != "" {
		words = "failed: " + string(t.Reason)
	}
	s := fmt.Sprintf("%s, status %d, %s", words, t.Status, t.Took.Round(time.Millisecond))
	if t.Excerpt != "" {
		s += ", " + strconv.Quote(t.Excerpt)
	}
	return s
}

func hooksList(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the webhooks and how they are", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				hooks, err := a.hooks.Hooks(cmd.Context())
				for _, h := range hooks {
					state, of := string(h.State), "all users"
					if h.Why != "" {
						state += " (" + h.Why + ")"
					}
					if !h.Failing.IsZero() {
						state += fmt.Sprintf(", %d failures since %s", h.Fails, a.clock(h.Failing))
					}
					if h.Client != "" {
						of = "users of " + h.Client
					}
					_, _ = fmt.Fprintf(std.out, "%4d  %-16s %s\n      %s, %s: %s\n", h.ID, h.Name, state, h.URL, of, strings.Trim(fmt.Sprint(h.Events), "[]"))
				}
				if err == nil && len(hooks) == 0 {
					_, err = fmt.Fprintln(std.out, "there are none; `fanli webhooks add` enters one")
				}
				return err
			})
		},
	}
}

// clock writes a time of day.
func (a *app) clock(t time.Time) string { return t.In(a.cfg.Location()).Format(time.DateTime) }

// triesListed bounds the tries that are listed of one delivery.
const triesListed = 5

func hooksLog(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "log WEBHOOK", Short: "List a webhook's deliveries and their last tries, newest first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number(args[0])
			if err != nil {
				return err
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				log, err := a.hooks.Log(cmd.Context(), id, listMax)
				if err == nil && len(log) == 0 {
					_, err = fmt.Fprintln(std.out, "nothing was delivered to it, and nothing waits")
				}
				for _, v := range log {
					_, _ = fmt.Fprintf(std.out, "%6d  %s  %-18s %-9s %d tries  %s\n", v.ID, a.clock(v.At), v.Name, v.Stage, v.Tries, v.Message)
					tries, err := a.hooks.Tries(cmd.Context(), v.ID, triesListed)
					if err != nil {
						return err
					}
					for _, t := range tries {
						_, _ = fmt.Fprintf(std.out, "        %s  %s\n", a.clock(t.At), outcome(t))
					}
				}
				return err
			})
		},
	}
}
