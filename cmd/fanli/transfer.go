package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/store"
	"fanli/core/fault"
)

func transferCommand(std stdio, f *flags) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "transfer",
		Short: "Move a SQLite installation to a MySQL or MariaDB server, and prove both equal",
		Long: `Copies everything from the SQLite database at --from into the empty database of a
server, compares both row by row, and proves the books of both. The old database is
only read. fanli must not be at work in it meanwhile. A transfer that was interrupted
is begun again by the same command; until one has ended, nothing else works in the
new database.

The server is the configured one, or --to; as other users of this machine can see a
command line, set FANLI_DATABASE_DSN_FILE instead where that matters. The seal key,
without which payout accounts cannot be read, stays where it is: in the data folder.

Exits with 3 if the copy is not equal or one of the books is not sound.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load(std)
			if err != nil {
				return err
			}
			if from == "" {
				from = databasePath(c)
			}
			if to == "" {
				to = c.Database.DSN
			}
			if to == "" {
				return exitError{exitUsage, errors.New("--to: where to? Name a server here or in database.dsn")}
			}
			if store.CheckDSN(to) != nil {
				return exitError{exitUsage, errors.New("--to: it cannot be read: write mysql://USER:PASSWORD@HOST:PORT/NAME")}
			}
			return transfer(cmd.Context(), std, from, to, c.Database.Connections)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "file of the SQLite database; without it, that of the data folder")
	cmd.Flags().StringVar(&to, "to", "", "address of the empty database, mysql://USER:PASSWORD@HOST:PORT/NAME, instead of the configured one")
	return cmd
}

// transfer does it, and prints what it finds.
func transfer(ctx context.Context, std stdio, from, to string, conns int) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("there is nothing to transfer: %w", err)
	}
	dir := filepath.Dir(from)
	own, err := openFolder(dir)
	if err != nil {
		return atWork(err)
	}
	defer func() { err = errors.Join(err, own.close()) }()
	key, err := sealKey(dir)
	if err != nil {
		return err
	}
	was, err := store.Open(ctx, store.Config{Path: from, SealKey: key, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, was.Close()) }()
	is, err := openApart(ctx, store.Config{DSN: to, Connections: conns, SealKey: key, Now: time.Now}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, is.Close()) }()

	equal := true
	_, _ = fmt.Fprintf(std.out, "%-28s %12s %12s  %-12s %-12s\n", "table", "rows", "copied", "content", "")
	for _, db := range is.all {
		err = errors.Join(err, store.Transfer(ctx, was, db, func(c store.Copied) {
			verdict := "equal"
			if !c.Equal() {
				verdict, equal = "DIFFERS from "+c.Is[:12], false
			}
			_, _ = fmt.Fprintf(std.out, "%-28s %12d %12d  %-12s %s\n", c.Table, c.Rows, c.Copies, c.Was[:12], verdict)
		}))
	}
	switch fault.ReasonOf(err) {
	case "store.not_empty":
		return fmt.Errorf("the new database is not empty, and nothing was changed: %w", err)
	case "store.not_migrated":
		return fmt.Errorf("run `fanli migrate` on the old database first: %w", err)
	}
	if err != nil {
		return fmt.Errorf("the transfer did not end; the same command begins it again: %w", err)
	}
	for _, db := range []struct {
		name string
		*stores
	}{{"old", &stores{of: map[string]*store.DB{paymentTarget: was}}}, {"new", is}} {
		rep, err := (&app{db: db.stores}).proveTelling(ctx, "", std.err)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(std.out, "%s books: %d entries, %d accounts, sum of all balances %s\n", db.name, rep.Entries, rep.Accounts, rep.Sum.Yuan())
		for _, s := range rep.Faults {
			_, _ = fmt.Fprintln(std.out, "  !", s)
		}
		equal = equal && rep.OK()
	}
	if !equal {
		_, _ = fmt.Fprintln(std.out, "the transfer is NOT sound: stay with the old database")
		return exitError{code: exitUnsound}
	}
	_, err = fmt.Fprintf(std.out, "both are equal and their books are sound\nset database.dsn and serve with the same data folder: the seal key in %s is still needed\n", dir)
	return err
}
