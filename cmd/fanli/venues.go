package main

import (
	"fanli/bot"
	"fanli/configs"
	"fanli/core/money"
)

// checkInOf is what a configuration gives for coming.
func checkInOf(c configs.Config) bot.Daily {
	return bot.Daily{Amount: money.Fen(c.Rebate.CheckIn.Amount), Budget: c.Rebate.CheckIn.Budget}
}
