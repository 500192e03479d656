package alike

import (
	"slices"
	"strings"
)

// A measure is what an amount is of.
type measure string

// The measures that identify goods; what else is measured only must not differ.
const (
	volume  measure = "ml"
	weight  measure = "mg"
	storage measure = "mb"
	inches  measure = "inch"
	stage   measure = "段"
	number  measure = "号"
	sheets  measure = "抽"
	leaves  measure = "张"
	pieces  measure = "片"
	grains  measure = "粒"

	size measure = "size" // of clothes and nappies; a title may list what there is
)

// identifies reports whether goods with another value are other goods, so that a title
// without it leaves something open.
func (m measure) identifies() bool {
	switch m {
	case volume, weight, storage, inches, stage, number, sheets, leaves, pieces, grains:
		return true
	default:
		return false
	}
}

// unitary is one, as numbers are kept: in thousandths.
const unitary = 1000

// A unit is what stands behind a number.
type unit struct {
	measure measure // "" for a unit of packs
	factor  int64
	pack    string // how packs of this unit are called
}

// numeralFollows are the units before which a number is also written out: 三段, 两瓶.
const numeralFollows = "包袋瓶盒支枝只个件条卷箱桶套罐双对片块提听枚粒本段代层"

// readNumbers finds amounts and numbers of packs.
func (r *reader) readNumbers() {
	for i := 0; i < len(r.text); i++ {
		switch {
		case i > 0 && (latin(r.text[i-1]) || digit(r.text[i-1])) && !r.crossed(i) && !r.sized(i):
		case digit(r.text[i]):
			i = max(i, r.measured(i)-1)
		default:
			if n, end, ok := r.numeral(i); ok {
				u, to, _ := r.unit(end)
				r.keep(n, u)
				r.blank(i, to)
				i = to - 1
			}
		}
	}
}

// measured reads one number, or several with a unit behind the last, and returns where
// they end; less than i if they are none of an amount.
func (r *reader) measured(i int) int {
	var all []int64
	var signs []rune
	at := i
	for {
		n, end, ok := r.number(at)
		if !ok {
			return 0
		}
		all = append(all, n)
		at = end
		if at+1 < len(r.text) && strings.ContainsRune("-~/+*x", r.text[at]) && digit(r.text[at+1]) {
			signs = append(signs, r.text[at])
			at++
			continue
		}
		break
	}
	u, end, ok := r.unit(at)
	times := i > 0 && r.text[i-1] == '*' || r.crossed(i)
	switch {
	case ok && len(all) == 1 && r.alloy(i, at):
		return 0
	case ok:
		r.keepAll(all, signs, u)
	case times && len(all) == 1:
		r.times[all[0]], end = true, at
	case len(all) == 1 && r.year(i, at):
		end = at
	default:
		return 0
	}
	r.blank(i, end)
	return end
}

// keepAll keeps several numbers with one unit: 100-200ml, 8+128G, 150x200cm; of 12x500ml
// the first one counts packs.
func (r *reader) keepAll(all []int64, signs []rune, u unit) {
	last := len(all) - 1
	for k, n := range all {
		if k < last && (signs[k] == '*' || signs[k] == 'x') && u.measure.identifies() {
			r.times[n] = true
			continue
		}
		r.keep(n, u)
	}
}

// keep keeps one amount or number of packs.
func (r *reader) keep(n int64, u unit) {
	m, value := u.measure, n*u.factor
	switch {
	case m == "":
		if r.counts[u.pack] == nil {
			r.counts[u.pack] = numbers{}
		}
		r.counts[u.pack][n] = true
		return
	case u == unit{weight, gram, ""} && r.tech && n <= 5*unitary: // 5G is a network
		return
	case u == unit{weight, gram, ""} && r.tech && capacity(n):
		m, value = storage, n*1024
	}
	if r.amounts[m] == nil {
		r.amounts[m] = numbers{}
	}
	r.amounts[m][value] = true
}

// gram is the factor of grams, which devices also write for gigabytes.
const gram = 1000

// capacity reports whether devices store so much: a power of two, or three of them as 12.
func capacity(n int64) bool {
	n /= unitary
	if n%3 == 0 {
		n /= 3
	}
	return n > 0 && n&(n-1) == 0
}

// alloy reports whether a number with an L behind it is a steel: 316L.
func (r *reader) alloy(from, to int) bool {
	return slices.Contains([]string{"304", "316", "430", "201"}, string(r.text[from:to])) && to < len(r.text) && r.text[to] == 'l'
}

// year keeps a year, if the number is one of these days'.
func (r *reader) year(from, to int) bool {
	s := string(r.text[from:to])
	if len(s) != 4 || !strings.HasPrefix(s, "20") || s[2] < '1' || s[2] > '4' || to < len(r.text) && latin(r.text[to]) {
		return false
	}
	r.years[s] = true
	return true
}

// number reads digits, with a point if there is one, in thousandths.
func (r *reader) number(i int) (n int64, end int, ok bool) {
	const digitsMax = 9
	end = i
	for end < len(r.text) && digit(r.text[end]) && end-i < digitsMax {
		n = n*10 + int64(r.text[end]-'0')
		end++
	}
	if end == i {
		return 0, 0, false
	}
	n *= unitary
	if end+1 < len(r.text) && r.text[end] == '.' && digit(r.text[end+1]) {
		end++
		for part := int64(unitary / 10); end < len(r.text) && digit(r.text[end]); part /= 10 {
			n += int64(r.text[end]-'0') * part
			end++
		}
	}
	return n, end, true
}

// numeral reads a number that is written out before a unit: 三段, 十二瓶, 双支.
func (r *reader) numeral(i int) (n int64, end int, ok bool) {
	const digits = "零一二三四五六七八九"
	for end = i; end < len(r.text); end++ {
		c := r.text[end]
		k := strings.IndexRune(digits, c) / len("零")
		switch {
		case strings.ContainsRune(digits, c) && k > 0:
			n += int64(k)
		case c == '两':
			n += 2
		case c == '十':
			n = max(n, 1) * 10
		case (c == '双' || c == '单') && end == i && end+1 < len(r.text) && strings.ContainsRune("瓶支袋盒罐", r.text[end+1]):
			n = map[rune]int64{'双': 2, '单': 1}[c]
		default:
			ok = end > i && strings.ContainsRune(numeralFollows, c)
			return n * unitary, end, ok
		}
	}
	return 0, 0, false
}

// crossed reports whether an x before a number stands behind an amount: 500mlx12, and
// not X100.
func (r *reader) crossed(i int) bool {
	if i < 2 || r.text[i-1] != 'x' {
		return false
	}
	before := folded(r.plain[i-2 : i-1])[0]
	return digit(before) || unitEnds[before] && r.text[i-2] == ' '
}

// sized reports whether a size stands before a number of pieces: L48片.
func (r *reader) sized(i int) bool {
	from := i
	for from > 0 && latin(r.text[from-1]) {
		from--
	}
	_, end, ok := r.number(i)
	return ok && sizes[string(r.text[from:i])] > 0 && (from == 0 || !digit(r.text[from-1])) &&
		end < len(r.text) && strings.ContainsRune("片条件只", r.text[end])
}

// unit reads the unit behind a number; a space may stand before one in Latin letters.
func (r *reader) unit(i int) (u unit, end int, ok bool) {
	if i+1 < len(r.text) && r.text[i] == ' ' && latin(r.text[i+1]) {
		i++
	}
	best := ""
	for w := range measures {
		to := i + len([]rune(w))
		if to > len(r.text) || string(r.text[i:to]) != w || len(w) <= len(best) {
			continue
		}
		if latin(rune(w[len(w)-1])) && to < len(r.text) && latin(r.text[to]) && !r.multiplies(to) {
			continue
		}
		best, end = w, to
	}
	return measures[best], end, best != ""
}

// multiplies reports whether an x stands between two numbers.
func (r *reader) multiplies(i int) bool {
	return r.text[i] == 'x' && i+1 < len(r.text) && digit(r.text[i+1])
}

// readLatin finds models, variants and other words in Latin letters, and digits that
// are left.
func (r *reader) readLatin() {
	for i := 0; i < len(r.text); i++ {
		from := i
		for i < len(r.text) && (latin(r.text[i]) || digit(r.text[i])) {
			i++
		}
		if n := sizes[string(r.text[from:i])]; n > 0 && !r.quoted(from, i) {
			r.keep(n, unit{measure: size, factor: 1})
		} else if i > from {
			r.latinWord(from, i)
		}
	}
}

// quoted reports whether a mark joins a letter to a word: L'Oreal.
func (r *reader) quoted(from, to int) bool {
	const marks = "'’&"
	return from > 0 && strings.ContainsRune(marks, r.text[from-1]) || to < len(r.text) && strings.ContainsRune(marks, r.text[to])
}

// latinWord takes one word apart: iphone15pro is iphone, 15 and pro; k380 is a model.
func (r *reader) latinWord(from, to int) {
	model := ""
	start := from
	flush := func(end int) {
		if model == "" {
			return
		}
		if strings.ContainsAny(model, "0123456789") {
			r.models[model] = true
			r.found = append(r.found, piece{start, end, rankModel})
		} else if len(model) > 1 {
			r.found = append(r.found, piece{start, end, rankModel})
		}
		model = ""
	}
	for i := from; i < to; {
		end := i
		for end < to && digit(r.text[end]) == digit(r.text[i]) {
			end++
		}
		word := string(r.text[i:end])
		parts := variantsIn(word)
		switch {
		case len(parts) > 0:
			flush(i)
			for _, p := range parts {
				r.variants[p] = true
			}
			r.found = append(r.found, piece{i, end, rankModel})
		case latin(r.text[i]) && len(word) >= modelRunesMin:
			flush(i)
			r.words[word] = true
			r.found = append(r.found, piece{i, end, rankModel})
		default:
			if model == "" {
				start = i
			}
			model += word
		}
		i = end
	}
	flush(to)
}

// variantsIn returns the variants that a word is: promax is two of them.
func variantsIn(word string) []string {
	all := []string{"pro", "max", "plus", "ultra", "mini", "lite", "air", "note", "se", "fe"}
	if slices.Contains(all, word) {
		return []string{word}
	}
	for _, v := range all {
		if rest, ok := strings.CutPrefix(word, v); ok && slices.Contains(all, rest) {
			return []string{v, rest}
		}
	}
	return nil
}
