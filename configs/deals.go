package configs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fanli/core/link"
)

// dealWordRunesMax bounds one word that deals are looked for with.
const dealWordRunesMax = 30

// Deals says what 今日 is made of.
type Deals struct {
	Words []string `yaml:"words"`
}

// check refuses what networks could not be asked, and more than they should be.
func (d Deals) check(k *checker) {
	if len(d.Words) > link.DealWordsMax {
		k.bad("deals.words", "there are more than %d", link.DealWordsMax)
	}
	for i, w := range d.Words {
		switch n := utf8.RuneCountInString(strings.TrimSpace(w)); {
		case n < 2 || n > dealWordRunesMax:
			k.bad("deals.words", "%q does not have 2 to %d characters", w, dealWordRunesMax)
		case slices.Contains(d.Words[:i], w):
			k.bad("deals.words", "%q is there twice", w)
		}
	}
}
