package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/access"
	"fanli/core/fault"
)

func keysCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make, list and revoke keys of the API", Args: noArgs,
		Long: `A key lets a program ask the API (docs/api.md) for a client's users, or for one user. It
is shown once, when it is made; afterwards there is only a hash of it. Who made and who
revoked a key stands in the record of acts.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keysCreate(std, f), keysList(std, f), keysRevoke(std, f))
	return cmd
}

// wish is a key as staff writes it.
type wish struct {
	client    string
	user      int64
	scopes    []string
	addresses []string
	days      int
}

// key reads a wish.
func (w wish) key(now time.Time) (access.Key, error) {
	k := access.Key{Client: w.client, User: w.user}
	for _, s := range w.scopes {
		k.Scopes = append(k.Scopes, access.Scope(strings.TrimSpace(s)))
	}
	for _, s := range w.addresses {
		p, err := configs.Net(strings.TrimSpace(s))
		if err != nil {
			return k, fmt.Errorf("--addresses: %q is not an address such as 192.0.2.7 or 192.0.2.0/24", s)
		}
		k.Addresses = append(k.Addresses, p)
	}
	if w.days < 0 || w.days > 3660 {
		return k, fmt.Errorf("--days: %d is not between 0 and 3660", w.days)
	}
	if w.days > 0 {
		k.Ends = now.AddDate(0, 0, w.days)
	}
	return k, nil
}

func keysCreate(std stdio, f *flags) *cobra.Command {
	var w wish
	var o access.Order
	cmd := &cobra.Command{
		Use: "create --client NAME --scopes SCOPE,… --by NAME --reason TEXT", Short: "Make a key and show it, this once", Args: noArgs,
		Long: "The scopes are " + strings.Join(scopeNames(), ", ") + `.
With users:act the key acts for users of its client, whom it names by its own ids; with
--user it acts for that one user and no other.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				k, err := w.key(a.now())
				if err != nil {
					return exitError{exitUsage, err}
				}
				return a.makeKey(cmd.Context(), std, k, o)
			})
		},
	}
	cmd.Flags().StringVar(&w.client, "client", "", "whose key it is: small letters, digits and dashes")
	cmd.Flags().StringSliceVar(&w.scopes, "scopes", nil, "what may be done with it")
	cmd.Flags().Int64Var(&w.user, "user", 0, "the only user that it acts for; 0: users of the client")
	cmd.Flags().StringSliceVar(&w.addresses, "addresses", nil, "from where it may be used, as 192.0.2.7 or 192.0.2.0/24; none: from anywhere")
	cmd.Flags().IntVar(&w.days, "days", 365, "how long it lasts; 0: for ever")
	ordered(cmd, &o)
	return cmd
}

// ordered are the flags of who decides, and why.
func ordered(cmd *cobra.Command, o *access.Order) {
	cmd.Flags().StringVar(&o.By, "by", "", "who decides this")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why")
}

func scopeNames() (out []string) {
	for _, s := range access.Scopes() {
		out = append(out, string(s))
	}
	return out
}

func (a *app) makeKey(ctx context.Context, std stdio, k access.Key, o access.Order) error {
	if k.User != 0 {
		if _, err := a.users.User(ctx, k.User); err != nil {
			if fault.Is(err, fault.NotFound) {
				return fmt.Errorf("there is no user %d", k.User)
			}
			return err
		}
	}
	made, text, err := a.keys.Make(ctx, k, o)
	if fault.Is(err, fault.Invalid) {
		return exitError{exitUsage, errors.New(mistakeIn(err))}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s\nkey %d of %s; this is the only time that it is shown\n", text, made.ID, made.Client)
	return err
}

// mistakeIn says what is wrong with a key, in the words of the command.
func mistakeIn(err error) string {
	switch fault.ReasonOf(err) {
	case "access.by":
		return "--by NAME is missing or too long: it is kept with the key"
	case "access.reason":
		return "--reason TEXT is missing or too long: it is kept with the key"
	default:
		return strings.Replace(err.Error(), fault.ReasonOf(err)+": ", "", 1)
	}
}

func keysList(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys, newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				ks, err := a.keys.List(cmd.Context(), listMax)
				for _, k := range ks {
					_, _ = fmt.Fprintf(std.out, "%4d  %-8s  %-16s %-10s made %s, ends %s, used %s  %s%s\n", k.ID, k.Name, k.Client, stateOf(k, a.now()),
						a.day(k.Made, ""), a.day(k.Ends, "never"), a.day(k.Used, "never"), strings.Trim(fmt.Sprint(k.Scopes), "[]"), only(k))
				}
				if err == nil && len(ks) == 0 {
					_, err = fmt.Fprintln(std.out, "there are none; `fanli keys create` makes one")
				}
				return err
			})
		},
	}
}

func stateOf(k access.Key, now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Ends.IsZero() && !now.Before(k.Ends):
		return "ended"
	default:
		return "open"
	}
}

// only says what a key is bound to.
func only(k access.Key) (s string) {
	if k.User != 0 {
		s += "; user " + strconv.FormatInt(k.User, 10) + " only"
	}
	if len(k.Addresses) > 0 {
		s += "; from " + strings.Trim(fmt.Sprint(k.Addresses), "[]")
	}
	return s
}

// day writes a day, or other for none.
func (a *app) day(t time.Time, other string) string {
	if t.IsZero() {
		return other
	}
	return t.In(a.cfg.Location()).Format(time.DateOnly)
}

func keysRevoke(std stdio, f *flags) *cobra.Command {
	var o access.Order
	cmd := &cobra.Command{
		Use: "revoke ID --by NAME --reason TEXT", Short: "End a key, now and for ever", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a key", args[0])}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				k, err := a.keys.Revoke(cmd.Context(), id, o)
				switch {
				case fault.Is(err, fault.NotFound):
					return fmt.Errorf("there is no key %d", id)
				case fault.Is(err, fault.Invalid):
					return exitError{exitUsage, errors.New(mistakeIn(err))}
				case err != nil:
					return err
				}
				_, err = fmt.Fprintf(std.out, "key %d of %s opens nothing any more\n", k.ID, k.Client)
				return err
			})
		},
	}
	ordered(cmd, &o)
	return cmd
}
