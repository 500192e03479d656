package configs_test

import (
	"strings"
	"testing"

	"fanli/configs"
)

// TestActivities loads pages as they are written, and names every mistake.
func TestActivities(t *testing.T) {
	t.Parallel()
	c := loaded(t, `activities: [{name: 外卖, name_en: Food, kind: food, network: jd, url: "https://pro.m.jd.com/x"}, {name: 补贴, kind: venue, network: pdd, url: "5"}]`)
	if len(c.Activities) != 2 || c.Activities[0].NameEN != "Food" || c.Activities[1].URL != "5" {
		t.Errorf("loaded as %+v", c.Activities)
	}
	good := "{name: a, kind: food, network: jd, url: \"https://pro.m.jd.com/x\"}"
	for text, want := range map[string]string{
		strings.Replace(good, "name: a", "name: ' '", 1):        "a name of at most 20",
		strings.Replace(good, "food", "drink", 1):               "kind is food or venue",
		strings.Replace(good, "jd", "vip", 1):                   "network is taobao, jd or pdd",
		strings.Replace(good, "https", "http", 1):               "https address",
		strings.Replace(good, "network: jd", "network: pdd", 1): "number of the channel",
		strings.TrimSuffix(strings.Repeat(good+", ", 7), ", "):  "more than 6 of kind food",
	} {
		if _, err := configs.Load(file(t, "activities: ["+text+"]"), none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
