package bot

import (
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// Sentence puts what went wrong into words of a language, as the chat would, for those
// who ask by another way. ref is the id under which the log says more.
func Sentence(tag, ref string, limits withdraw.Limits, err error) string {
	v := voiceOf(tag)
	if text, ok := v.switchText(err); ok {
		return text
	}
	if expected(err) || fault.ReasonOf(err) == "target.down" {
		if text, ok := v.reason(fault.ReasonOf(err), "min", limits.Minimum.Yuan(), "max", limits.Maximum.Yuan()); ok {
			return text
		}
	}
	return v.T("fault."+string(fault.CodeOf(err)), "trace", ref)
}

// Caveat returns the sentence of a stable key that an offer bears.
func Caveat(tag, key string) (text string, ok bool) { return voiceOf(tag).reason(key) }
