package telegram

import (
	"fmt"
	"log/slog"
)

// A Secret is a text that is never printed: every verb, encoder and logger shows
// a placeholder instead. Convert it to string where it is used.
type Secret string

// hidden stands for a secret wherever one would be printed.
const hidden = "[secret]"

// Guards.
var (
	_ fmt.Formatter  = Secret("")
	_ slog.LogValuer = Secret("")
)

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return hidden
}

// String returns a placeholder, or "" for no secret.
func (s Secret) String() string { return s.shown() }

// Format implements fmt.Formatter, so that no verb prints the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.shown())) } // as fmt does

// MarshalText keeps encoders from writing the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }
