package telegram

import (
	"time"

	"fanli/bot"
)

// At night, from one hour of the day to another, notices make no sound for who has no quiet
// hours of their own. They come all the same: what happens to somebody's money is not news
// of the next day.
const (
	nightBegins = 22
	nightEnds   = 8
)

// beijing is where people live of whom nothing else is known. It has no summer time.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// night reports whether people sleep now.
func (c *Channel) night() bool {
	hour := c.now().In(c.zone).Hour()
	return hour >= nightBegins || hour < nightEnds
}

// silent reports whether a notice makes no sound. Whoever has quiet hours of their own has
// said when that is to be: only what is about security, or about money that went wrong,
// comes in them at all. For everybody else it is at night. An answer always makes one.
func (c *Channel) silent(n *bot.Notice) bool {
	if n == nil {
		return false
	}
	if n.Hours.IsZero() {
		return c.night()
	}
	_, in := n.Hours.Until(c.now().In(c.zone))
	return in
}
