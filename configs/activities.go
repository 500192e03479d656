package configs

import (
	"strings"
	"unicode/utf8"

	"fanli/core/link"
)

// An Activity is a page without goods to which people are led by links of their own.
type Activity struct {
	Name    string `yaml:"name"`
	NameEN  string `yaml:"name_en"`
	Kind    string `yaml:"kind"` // food or venue
	Network string `yaml:"network"`
	URL     string `yaml:"url"` // at pdd the number of its channel
}

// Bounds of activities: as many of a kind as buttons fit under an answer, with names that
// fit on them.
const (
	activitiesMax       = 6
	activityNameMax     = 20
	activityChannelsMax = 3 // digits
)

func (c Config) checkActivities(k *checker) {
	kinds := map[string]int{}
	for _, a := range c.Activities {
		name := a.Name
		if n := utf8.RuneCountInString(name); strings.TrimSpace(name) == "" || n > activityNameMax || utf8.RuneCountInString(a.NameEN) > 2*activityNameMax {
			k.bad("activities", "%q: a name of at most %d characters is needed, name_en has at most %d", name, activityNameMax, 2*activityNameMax)
		}
		if a.Kind != "food" && a.Kind != "venue" {
			k.bad("activities", "%q: kind is food or venue, not %q", name, a.Kind)
		}
		switch a.Network {
		case link.Taobao, link.JD:
			if !strings.HasPrefix(a.URL, "https://") {
				k.bad("activities", "%q: url is the https address of the page", name)
			}
		case link.PDD:
			if a.URL == "" || len(a.URL) > activityChannelsMax || strings.Trim(a.URL, "0123456789") != "" {
				k.bad("activities", "%q: url is the number of the channel (channel_type) at pdd, such as 5", name)
			}
		default:
			k.bad("activities", "%q: network is taobao, jd or pdd, not %q", name, a.Network)
		}
		if kinds[a.Kind]++; kinds[a.Kind] == activitiesMax+1 {
			k.bad("activities", "more than %d of kind %s", activitiesMax, a.Kind)
		}
	}
}
