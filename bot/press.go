package bot

import (
	"time"

	"fanli/bot/locale"
)

// ButtonLife is how long after it was shown a button with an action is good for
// anything; 0 for always. What it refers to has been forgotten then, and its channel can
// say so where the button was pressed.
func ButtonLife(action string) time.Duration {
	c, _, ok := match(tidy(action))
	switch {
	case ok && c.name == "confirm":
		return confirmTTL
	case ok && (c.name == "more" || c.name == "back") || isDigit(tidy(action)):
		return listTTL
	default:
		return 0
	}
}

// LatePress says what to send instead of pressing a button that is too old.
func LatePress(action, hint string) string {
	v := voiceOf(locale.Match(hint))
	c, _, ok := match(tidy(action))
	switch {
	case !ok && !isDigit(tidy(action)):
		return v.T("button.late")
	case c.name == "confirm":
		return v.T("button.late_word", "word", commandWord(v.words.Tag(), "withdraw"))
	case !ok || c.name == "more" || c.name == "back":
		return v.T("button.late_list", "word", commandWord(v.words.Tag(), "orders"))
	default:
		return v.T("button.late_word", "word", commandWord(v.words.Tag(), c.name))
	}
}
