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
	if err != nil || n.Kind != yaml.ScalarNode {
		return typeError(n, shown(n)+" is not an amount in yuan with at most two decimals, such as 12.50")
	}
	*y = Yuan(f)
	return nil
}

// Percent is a rate written as 70% or 70. What is less than one must have its
// sign: 0.7 is what a spreadsheet says for 70%.
type Percent money.Bps

// UnmarshalYAML reads the text of the number, never a float.
func (p *Percent) UnmarshalYAML(n *yaml.Node) error {
	text, signed := strings.CutSuffix(n.Value, "%")
	b, err := money.ParsePercent(text, money.Exact)
	const one money.Bps = 100
	switch {
	case err != nil || n.Kind != yaml.ScalarNode:
		return typeError(n, shown(n)+" is not a percentage with at most two decimals, such as 70%")
	case !signed && b != 0 && b > -one && b < one:
		return typeError(n, quoted(n.Value)+" may be a fraction or a percentage: write it with %")
	}
	*p = Percent(b)
	return nil
}
