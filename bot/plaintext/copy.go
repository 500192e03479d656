package plaintext

import "fanli/bot"

// ToCopy returns the 口令 of the goods in a reply, as a text of its own; "" where there is
// none, or several. Other codes, as those of invitations, are read out or passed on with
// what is said around them.
func ToCopy(r bot.Reply) (text string) {
	for _, c := range r.Cards {
		for _, b := range c.Buttons {
			switch {
			case b.Copy == "" || b.Copy == text:
			case text != "":
				return ""
			default:
				text = b.Copy
			}
		}
	}
	return Clean(text)
}
