package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/registry"
)

func peersCommand(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "peers", Short: "Say which processes run each target now, and where", Args: noArgs,
		Long: `Lists the processes of a split as the registry (registry.url) knows them: where each
answers other targets and serves pages, since when, and whether it is about to stop. One
that died is listed until its lease ends. Without a registry it lists the configured
addresses.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := f.load(std)
			if err != nil {
				return err
			}
			if c.Registry.URL == "" {
				printConfigured(std.out, c)
				return nil
			}
			r, err := openRegistry(c.Registry, logger(c.Log, std.err))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			ps, err := r.List(cmd.Context())
			if err != nil {
				return err
			}
			printPeers(std.out, ps, c.Location())
			return nil
		},
	}
}

// printPeers prints who runs each target.
func printPeers(w io.Writer, ps []registry.Process, zone *time.Location) {
	for _, t := range targets() {
		_, _ = fmt.Fprintln(w, t.name)
		nobody := true
		for _, p := range ps {
			if !p.Runs(t.name) {
				continue
			}
			nobody = false
			state := "serves"
			if p.Draining {
				state = "draining"
			}
			_, _ = fmt.Fprintf(w, "  %-32s %-8s since %s  grpc %-21s http %s\n",
				p.ID, state, p.Since.In(zone).Format(time.DateTime), cmp.Or(p.GRPC, "-"), cmp.Or(p.HTTP, "-"))
		}
		if nobody {
			_, _ = fmt.Fprintln(w, "  nobody")
		}
	}
}

// printConfigured prints where each target is said to be.
func printConfigured(w io.Writer, c configs.Config) {
	if !c.Split() && len(c.Peers.Targets) == 0 {
		_, _ = fmt.Fprintln(w, "all targets run in one process")
		return
	}
	for _, t := range targets() {
		_, _ = fmt.Fprintf(w, "%-13s grpc %s  http %s\n", t.name, cmp.Or(c.Peers.Targets[t.name], "-"), cmp.Or(c.Peers.HTTP[t.name], "-"))
	}
}
