package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// noSuchCommand refuses what is no command, and says what may be meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	name := strings.TrimPrefix(cmd.CommandPath()+" "+args[0], "fanli ")
	err := fmt.Errorf("there is no command %q; %s --help lists them", name, cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		err = fmt.Errorf("there is no command %q; did you mean %s?", name, strings.Join(like, " or "))
	}
	return exitError{exitUsage, err}
}

// noArgs refuses arguments where a command has none.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		return noSuchCommand(cmd, args)
	default:
		return exitError{exitUsage, fmt.Errorf("%s takes no arguments, but got %q", cmd.CommandPath(), args)}
	}
}

// sayForms makes every command answer a wrong number of arguments with its form: what
// cobra says of its own accord names neither the command nor what it takes.
func sayForms(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		sayForms(c)
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		var said exitError
		if err == nil || errors.As(err, &said) {
			return err
		}
		form := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		return exitError{exitUsage, fmt.Errorf("write %q; %s --help says more", form, cmd.CommandPath())}
	}
}

// badFlag says what is wrong with a flag in words, not in those of the parser.
func badFlag(_ *cobra.Command, err error) error {
	if said, _, ok := strings.Cut(err.Error(), ": strconv."); ok {
		err = fmt.Errorf("%s: it takes a number", said)
	}
	return exitError{exitUsage, err}
}
