package plaintext

// A Phrase is one of the few things that a channel itself says.
type Phrase struct{ ZH, EN string }

// In chooses the language.
func (p Phrase) In(english bool) string {
	if english {
		return p.EN
	}
	return p.ZH
}
