package configs

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"fanli/core/money"
)

// Yuan is an amount written in yuan: 12.50.
type Yuan money.Fen

// UnmarshalYAML reads the text of the number, never a float.
func (y *Yuan) UnmarshalYAML(n *yaml.Node) error {
	f, err := money.ParseYuan(n.Value, money.Exact)
	if err != nil {
		return typeError(n, "an amount in yuan with at most two decimals, such as 12.50")
	}
	*y = Yuan(f)
	return nil
}

// Percent is a rate written as 70% or 70.
type Percent money.Bps

// UnmarshalYAML reads the text of the number, never a float.
func (p *Percent) UnmarshalYAML(n *yaml.Node) error {
	b, err := money.ParsePercent(strings.TrimSuffix(n.Value, "%"), money.Exact)
	if err != nil {
		return typeError(n, "a percentage with at most two decimals, such as 70%")
	}
	*p = Percent(b)
	return nil
}
