package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/control"
	"fanli/core/ladder"
)

func ladderCommand(std stdio, f *flags) *cobra.Command {
	var at []string
	cmd := &cobra.Command{
		Use:   "ladder",
		Short: "Show what is left out while something is away, and hold it on or off",
		Long: `The ladder says what is left out while something that fanli needs is away, slow, or
asked for too much: docs/resilience.md. It is climbed and left by itself. This shows
its rungs, what staff have pinned, and what the running processes say, each of its own;
--at names their addresses, and the configured one is asked without it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBoard(cmd.Context(), std, f, func(b *control.Board, c configs.Config) error {
				if len(at) == 0 {
					at = []string{"http://" + c.Listen}
				}
				return showLadder(cmd.Context(), std.out, b, c, at)
			})
		},
	}
	cmd.Flags().StringSliceVar(&at, "at", nil, "addresses of processes, as http://bot:8080")
	cmd.AddCommand(pinCommand(std, f), releaseCommand(std, f))
	return cmd
}

func pinCommand(std stdio, f *flags) *cobra.Command {
	var off bool
	cmd := pinning(std, f, "pin", "Hold a rung on, or off with --off, whatever is measured", func(ctx context.Context, b *control.Board, rung string, s control.Switch) error {
		on, other := control.Degrade(rung), control.Keep(rung)
		if off {
			on, other = other, on
		}
		return turn(ctx, b, s, map[control.Scope]bool{other: false, on: true})
	})
	cmd.Flags().BoolVar(&off, "off", false, "hold it off")
	return cmd
}

func releaseCommand(std stdio, f *flags) *cobra.Command {
	return pinning(std, f, "release", "Let a rung turn by itself again", func(ctx context.Context, b *control.Board, rung string, s control.Switch) error {
		return turn(ctx, b, s, map[control.Scope]bool{control.Degrade(rung): false, control.Keep(rung): false})
	})
}

// pinning is a command that says something of one rung.
func pinning(std stdio, f *flags, name, short string, do func(ctx context.Context, b *control.Board, rung string, s control.Switch) error) *cobra.Command {
	var why, as string
	cmd := &cobra.Command{
		Use: name + " RUNG", Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{exitUsage, fmt.Errorf("ladder %s takes the name of one rung", name)}
			}
			if why == "" {
				return exitError{exitUsage, errors.New("--why: say why, for the record")}
			}
			return withBoard(cmd.Context(), std, f, func(b *control.Board, c configs.Config) error {
				rungs := c.Resilience.Rungs()
				if !slices.ContainsFunc(rungs, func(r ladder.Rung) bool { return r.Name == args[0] }) {
					return exitError{exitUsage, fmt.Errorf("the ladder has no rung %q; `fanli ladder` shows them", args[0])}
				}
				if err := do(cmd.Context(), b, args[0], control.Switch{By: actorNamed(as), Why: why}); err != nil {
					return err
				}
				return showLadder(cmd.Context(), std.out, b, c, nil)
			})
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "for the record")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

// turn sets switches; those that are turned off come first.
func turn(ctx context.Context, b *control.Board, s control.Switch, to map[control.Scope]bool) error {
	for _, on := range []bool{false, true} {
		for scope, want := range to {
			if want != on {
				continue
			}
			s.Scope, s.On = scope, on
			if err := b.Set(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// showLadder prints the rungs, their pins, and what processes say of them.
func showLadder(ctx context.Context, out io.Writer, b *control.Board, c configs.Config, at []string) error {
	all, err := b.List(ctx)
	if err != nil {
		return err
	}
	for _, r := range c.Resilience.Rungs() {
		_, _ = fmt.Fprintf(out, "%-20s %-9s %s\n", r.Name, r.Effect, conditionWords(r))
		for _, s := range all {
			if s.On && (s.Scope == control.Degrade(r.Name) || s.Scope == control.Keep(r.Name)) {
				held := map[bool]string{true: "on", false: "off"}[s.Scope == control.Degrade(r.Name)]
				_, _ = fmt.Fprintf(out, "%-20s held %s by %s since %s: %s\n", "", held, s.By, s.Since.In(c.Location()).Format(time.DateTime), s.Why)
			}
		}
	}
	for _, base := range at {
		said, err := askReady(ctx, base)
		if err != nil {
			_, _ = fmt.Fprintf(out, "%s does not say how it is: %v\n", base, err)
			continue
		}
		_, _ = fmt.Fprintf(out, "%s: %s\n", base, said)
	}
	return nil
}

// conditionWords says when a rung is on.
func conditionWords(r ladder.Rung) string {
	var when []string
	if len(r.Of) > 0 {
		text := strings.Join(r.Of, " or ") + " away"
		if r.Slow > 0 {
			text += fmt.Sprintf(" or slower than %s", r.Slow)
		}
		when = append(when, text)
	}
	if r.Load > 0 {
		when = append(when, fmt.Sprintf("load from %d%%", r.Load))
	}
	return fmt.Sprintf("%s, for %s; off after %s", strings.Join(when, ", or "), r.After, r.Back)
}

// readyBytesMax bounds what a process says of itself.
const readyBytesMax = 64 << 10

// askReady asks a process what is left out there.
func askReady(ctx context.Context, base string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/readyz", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) {
			return "", errors.New("nobody answers there")
		}
		return "", err
	}
	defer resp.Body.Close()
	var said struct {
		Ready    bool           `json:"ready"`
		Degraded []ladder.State `json:"degraded"`
		Away     []string       `json:"away"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, readyBytesMax)).Decode(&said); err != nil {
		return "", err
	}
	var words []string
	for _, s := range said.Degraded {
		text := s.Rung
		if s.Of != "" {
			text += " (" + s.Of + ")"
		}
		words = append(words, text+" is on since "+s.Since.UTC().Format(time.RFC3339))
	}
	if len(said.Away) > 0 {
		words = append(words, strings.Join(said.Away, ", ")+" away")
	}
	if len(words) == 0 {
		words = []string{"nothing is left out"}
	}
	return strings.Join(words, "; "), nil
}
