// Leaks reads all that fanli has logged while it was tested, from the folder that `make
// test` names, and fails with the lines that hold something secret or personal. It fails
// as well if one of the kinds of processes has said nothing: then it has not looked.
package main

import (
	"fmt"
	"os"

	"fanli/core/logtest"
)

// kinds must each have said something.
var kinds = []string{
	"cmd_fanli/serve", "cmd_fanli/command", "cmd_fanli/app",
	"cmd_fanli/serve-gateway", "cmd_fanli/serve-bot", "cmd_fanli/serve-user", "cmd_fanli/serve-order", "cmd_fanli/serve-rebate",
	"cmd_fanli/serve-payment", "cmd_fanli/serve-notification",
	"bot/", "bot_mail/", "bot_telegram/", "bot_webchat/", "bot_wechat/", "bot_kf/",
	"adapters_bus/", "adapters_gateway/", "jobs/", // others say something in some runs only
}

// shown is how many lines are shown.
const shown = 50

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run .ci/leaks.go FOLDER")
		os.Exit(2)
	}
	r, err := logtest.Read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "what was logged cannot be read:", err)
		os.Exit(1)
	}
	lines := 0
	for _, n := range r.Lines {
		lines += n
	}
	fmt.Printf("%d lines of logs of %d kinds hold none of %d secrets, and nothing personal: ", lines, len(r.Lines), r.Secrets)
	missing := r.Missing(kinds)
	if len(r.Leaks) == 0 && len(missing) == 0 && r.Secrets > 0 {
		fmt.Println("true")
		return
	}
	fmt.Println("false")
	for _, l := range r.Leaks[:min(shown, len(r.Leaks))] {
		fmt.Println(l)
	}
	fmt.Printf("%d lines leak\n", len(r.Leaks))
	for _, k := range missing {
		fmt.Println("there is no line of", k, "(tests whose results go test has kept write none: go clean -testcache)")
	}
	os.Exit(1)
}
