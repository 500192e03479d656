package bottest

import (
	"strings"

	"fanli/bot"
	"fanli/core/link"
)

// setPages says which pages people can go to: "food/jd/a-lunch venue/pdd/hall".
func (f *Fake) setPages(args ...string) error {
	f.Bot.Activities = nil
	for _, a := range args {
		p := strings.Split(a, "/")
		if len(p) != 3 {
			return errUsage
		}
		f.Bot.Activities = append(f.Bot.Activities, bot.Activity{
			Kind: bot.ActivityKind(p[0]), Page: link.Page{Network: p[1], Name: "页面 " + p[2], Address: p[2]}, English: p[2],
		})
	}
	return nil
}
