package alike

import (
	"slices"
	"strings"
	"unicode"
)

// titleRunesMax bounds what is read of a title: shops allow some sixty characters.
const titleRunesMax = 200

// A Title is what a title of goods says, taken apart. The zero value says nothing.
type Title struct {
	brands      set[string]
	accessories set[string] // what it is, if it belongs to other goods: a case, a film
	fits        bool        // it says that it is for goods of somebody
	conditions  set[string] // used, a refill, a sample
	variants    set[string] // pro, max, mini
	models      models
	years       set[string]
	amounts     map[measure]numbers
	counts      map[string]numbers // of packs, by their unit
	times       numbers            // packs without a unit: ×12
	colours     set[string]
	words       set[string] // what else it says: pairs of characters, and Latin words

	queries []string
}

// Queries returns what to search for to find the goods in another shop, the best first:
// brand, model, and what they are, without amounts and praise; and the same shorter,
// where that is something else.
func (t Title) Queries() []string { return t.queries }

// A reader takes a title apart. What it has understood it blanks out, so that every
// part counts once.
type reader struct {
	Title
	plain []rune // as it was written
	text  []rune // folded, place for place the same
	found []piece
	tech  bool // it is about devices: 128G is no weight
}

// A piece is a word for the query.
type piece struct {
	from, to int
	rank     int
}

// The ranks of pieces: what names goods comes first.
const (
	rankBrand = iota
	rankModel
	rankWord
)

// Read takes a title apart.
func Read(title string) Title {
	plain := []rune(strings.ToValidUTF8(title, " "))
	plain = plain[:min(len(plain), titleRunesMax)]
	r := &reader{plain: plain, text: folded(plain)}
	r.Title = Title{
		brands: set[string]{}, accessories: set[string]{}, conditions: set[string]{}, variants: set[string]{}, models: models{},
		years: set[string]{}, amounts: map[measure]numbers{}, counts: map[string]numbers{}, times: numbers{},
		colours: set[string]{}, words: set[string]{},
	}
	r.dropMarkup()
	r.tech = r.any(devices)
	r.dropGifts()
	r.readFits()
	r.take(conditions, r.conditions)
	r.readAccessories()
	r.drop(praise)
	r.readBrands()
	r.take(colours, r.colours)
	r.readVariants()
	r.readNumbers()
	r.readLatin()
	r.readHan()
	r.compose()
	return r.Title
}

// folded makes a title comparable, place for place: width, case and traditional forms
// do not matter, and what cannot be seen is a space.
func folded(plain []rune) []rune {
	out := make([]rune, len(plain))
	for i, c := range plain {
		switch {
		case c >= '\uFF01' && c <= '\uFF5E':
			c = c - '\uFF01' + '!'
		case c == '×' || c == '✕' || c == '✖' || c == '╳':
			c = '*'
		case !unicode.IsGraphic(c) || unicode.IsSpace(c):
			c = ' '
		}
		if simple, ok := simplified[c]; ok {
			c = simple
		}
		out[i] = unicode.ToLower(c)
	}
	return out
}

// blank takes a part out.
func (r *reader) blank(from, to int) {
	for i := from; i < to; i++ {
		r.text[i] = ' '
	}
}

// at reports whether a word stands at a place; a Latin one only as a whole word.
func (r *reader) at(i int, w []rune) (end int, ok bool) {
	end = i + len(w)
	if end > len(r.text) || !slices.Equal(r.text[i:end], w) {
		return 0, false
	}
	last := w[len(w)-1]
	if latin(w[0]) && i > 0 && latin(r.text[i-1]) {
		return 0, false
	}
	if end < len(r.text) && (latin(r.text[end]) && (latin(last) || digit(last)) || digit(r.text[end]) && digit(last)) {
		return 0, false
	}
	return end, true
}

// longest returns where the longest of the words ends that stand at a place.
func (r *reader) longest(words lexicon, i int) (end int, ok bool) {
	if i >= len(r.text) {
		return 0, false
	}
	for _, w := range words[r.text[i]] {
		if to, is := r.at(i, w); is && to > end {
			end, ok = to, true
		}
	}
	return end, ok
}

// each calls fn wherever one of the words stands, with the longest where several do.
func (r *reader) each(words lexicon, fn func(word string, from, to int)) {
	for i := 0; i < len(r.text); i++ {
		if to, ok := r.longest(words, i); ok {
			fn(string(r.text[i:to]), i, to)
			i = to - 1
		}
	}
}

func (r *reader) any(words lexicon) (found bool) {
	r.each(words, func(string, int, int) { found = true })
	return found
}

func (r *reader) drop(words lexicon) {
	r.each(words, func(_ string, from, to int) { r.blank(from, to) })
}

// take moves words into a set.
func (r *reader) take(words lexicon, into set[string]) {
	r.each(words, func(w string, from, to int) {
		into[w] = true
		r.blank(from, to)
	})
}

// dropMarkup takes out what is no title: tags and links.
func (r *reader) dropMarkup() {
	for i := 0; i < len(r.text); i++ {
		switch {
		case r.text[i] == '<':
			if n := slices.Index(r.text[i:], '>'); n > 0 {
				r.blank(i, i+n+1)
			}
		case strings.HasPrefix(string(r.text[i:min(i+4, len(r.text))]), "http"):
			n := slices.IndexFunc(r.text[i:], func(c rune) bool { return c == ' ' || c > unicode.MaxASCII })
			if n < 0 {
				n = len(r.text) - i
			}
			r.blank(i, i+n)
		}
	}
}

// dropGifts takes out what comes with the goods: 含3支刷头, 送2包.
func (r *reader) dropGifts() {
	r.each(given, func(_ string, from, to int) {
		_, end, ok := r.number(to)
		if !ok {
			if _, end, ok = r.numeral(to); !ok {
				return
			}
		}
		for n := 0; end < len(r.text) && r.text[end] != ' ' && n < giftRunesMax; n++ {
			end++
		}
		r.blank(from, end)
	})
}

// giftRunesMax is how much behind its number belongs to a gift.
const giftRunesMax = 4

// readFits sees for whose goods something is: 适用于 iPhone 15.
func (r *reader) readFits() {
	r.each(tied, func(_ string, from, to int) {
		next := to
		for next < len(r.text) && r.text[next] == ' ' {
			next++
		}
		fits := next < len(r.text) && latin(r.text[next])
		if _, maker := r.longest(aliases, next); fits || maker {
			r.fits = true
			r.blank(from, to)
		}
	})
}

// readAccessories sees what belongs to other goods, unless it only comes with them.
func (r *reader) readAccessories() {
	r.each(accessories, func(w string, from, to int) {
		before := string(r.text[max(0, from-3):from])
		if strings.ContainsAny(before, "含送赠附带配") {
			return
		}
		r.accessories[w] = true
		r.found = append(r.found, piece{from, to, rankWord})
		r.blank(from, to)
	})
}

// readBrands finds makers by the names that people know them by.
func (r *reader) readBrands() {
	said := map[string]int{}
	r.each(aliases, func(w string, from, to int) {
		r.brands[makers[w]] = true
		if lines[w] { // iPhone is also what it is
			return
		}
		p := piece{from, to, rankBrand}
		if at, again := said[makers[w]]; !again {
			said[makers[w]] = len(r.found)
			r.found = append(r.found, p)
		} else if unicode.Is(unicode.Han, r.text[from]) { // Apple/苹果: shops search in Chinese
			r.found[at] = p
		}
		r.blank(from, to)
	})
}

// readVariants finds what tells one model of a line from another, in either language.
func (r *reader) readVariants() {
	of := map[string]string{"迷你": "mini", "青春版": "lite"}
	r.each(small, func(w string, from, to int) {
		r.variants[of[w]] = true
		r.found = append(r.found, piece{from, to, rankModel})
		r.blank(from, to)
	})
}

// readHan makes pairs of what is left in Chinese, so that the order of words matters
// little.
func (r *reader) readHan() {
	for i := 0; i < len(r.text); i++ {
		from := i
		for i < len(r.text) && unicode.Is(unicode.Han, r.text[i]) {
			i++
		}
		switch run := r.text[from:i]; len(run) {
		case 0:
			continue
		case 1:
			if run[0] != '装' { // of 两瓶装
				r.words[string(run)] = true
			}
		default:
			for k := range len(run) - 1 {
				r.words[string(run[k:k+2])] = true
			}
			r.found = append(r.found, piece{from, i, rankWord})
		}
	}
	for a := range r.accessories {
		r.words[a] = true
	}
}

// What a query is made of, at most.
const (
	queryModelsMax = 4
	queryHanMin    = 4 // with so many characters of Chinese it says what the goods are
	queryRunesMax  = 30
	shortRunes     = 3 // of the shorter query, of what the goods are
)

// compose writes the queries, as the title spells the words.
func (r *reader) compose() {
	slices.SortStableFunc(r.found, func(a, b piece) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.from - b.from
	})
	var out, short []string
	size, named, said := 0, 0, 0
	for _, p := range r.found {
		n := p.to - p.from
		switch {
		case p.rank == rankModel && named >= queryModelsMax, p.rank == rankWord && said >= queryHanMin, size+n > queryRunesMax:
			continue
		case p.rank == rankModel:
			named++
		case p.rank == rankWord && said == 0: // what a compound is, stands at its end
			short = append(short, string(r.plain[p.to-min(n, shortRunes):p.to]))
		}
		if p.rank == rankWord {
			said += n
		} else {
			short = append(short, string(r.plain[p.from:p.to]))
		}
		size += n + 1
		out = append(out, string(r.plain[p.from:p.to]))
	}
	for _, q := range []string{strings.Join(out, " "), strings.Join(short, " ")} {
		if q != "" && !slices.Contains(r.queries, q) {
			r.queries = append(r.queries, q)
		}
	}
}

func latin(c rune) bool { return c >= 'a' && c <= 'z' }

func digit(c rune) bool { return c >= '0' && c <= '9' }
