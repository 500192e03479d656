package telegram

import "time"

// At night, from one hour of the day to another, notices make no sound. They come all the
// same: what happens to somebody's money is not news of the next day.
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
