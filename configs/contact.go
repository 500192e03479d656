package configs

import (
	"strings"
	"unicode/utf8"
)

// contactRunesMax bounds what people are told of how to reach the operator.
const contactRunesMax = 200

// check refuses what people could not use: a page that is not https, or too many words.
func (b Bot) check(k *checker) {
	switch {
	case utf8.RuneCountInString(b.Contact) > contactRunesMax:
		k.bad("bot.contact", "it has more than %d characters", contactRunesMax)
	case strings.HasPrefix(b.Contact, "http://"):
		k.bad("bot.contact", "a page has to be https://")
	}
}
