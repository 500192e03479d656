package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"fanli/bot"
	"fanli/bot/terminal"
)

func chatCommand(std stdio, f *flags) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "chat",
		Short: "Talk with the bot in this terminal, or through a pipe",
		Long: `The terminal channel: what you type is what a shopper types. In a pipe, each line of
standard input is a message (a line feed inside one is written \n) and the replies
go to standard output. It ends with the input.

Without a configured network it talks in the sandbox world of the data folder, which
no other fanli may be serving at the same time.`,
		Example: `  echo '看看 https://item.jd.com/100012043978.html' | fanli chat`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return chat(cmd.Context(), std, f, as)
		},
	}
	cmd.Flags().StringVar(&as, "as", "me", "who you are: each name is a user of its own")
	return cmd
}

func chat(ctx context.Context, std stdio, f *flags, as string) (err error) {
	cfg, err := f.load(std)
	if err != nil {
		return err
	}
	cfg.Log.Level = "error" // the terminal belongs to the conversation
	around := surroundings{log: logger(cfg.Log, std.err), now: time.Now, http: &http.Client{}, holder: holder()}
	if cfg.Sandbox() {
		own, failed := openFolder(cfg.Data)
		if failed != nil {
			return atWork(failed)
		}
		defer func() { err = errors.Join(err, own.close()) }()
		around.holder = own.holder
		st, failed := openStage(ctx, cfg.Data, false)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, st.close()) }()
		cfg, around.now = inSandbox(cfg, st.world), st.world.Now
	}
	a, err := newApp(ctx, cfg, around)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	term := newTerminal(std, as)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.runner.Run(ctx)
	}()
	a.relayOnEmit(ctx)
	a.tell.Channels = []bot.Channel{term}
	err = term.Run(ctx, a.bot.Handle)
	stop()
	<-done
	return errors.Join(err, a.close())
}

// newTerminal returns the channel of whoever started the command.
func newTerminal(std stdio, as string) *terminal.Channel {
	in, inFile := std.in.(*os.File)
	out, outFile := std.out.(*os.File)
	if inFile && outFile {
		return terminal.New(in, out, as)
	}
	return &terminal.Channel{In: std.in, Out: std.out, Person: as}
}
