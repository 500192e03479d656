package link

// The scanner reads a message once, byte by byte, and stops only at words (runs
// of ASCII letters, digits and hyphens) and at the few marks that mean
// something. Everything hangs on words: a link is a word followed by a dot or by
// "://", a number is a word of digits, a 口令 is a word between decorations.

// What a byte can be.
const (
	digit  uint8 = 1 << iota
	lower        // a-z
	upper        // A-Z
	hyphen       // -
	inURL        // may stand in a link behind the host
	lead         // may begin 「 or 【, an invisible character or a full-width one
	han          // begins a Chinese character, three bytes
	escape       // & and \, which may begin an escaped character

	letter = lower | upper
	alnum  = digit | letter
	inWord = alnum | hyphen
)

// class is what each byte can be.
var class = classes()

func classes() (c [256]uint8) {
	for b := '0'; b <= '9'; b++ {
		c[b] = digit | inURL
	}
	for b := 'a'; b <= 'z'; b++ {
		c[b] = lower | inURL
		c[b-'a'+'A'] = upper | inURL
	}
	for _, b := range []byte("-._~:/?#[]@!$&'()*+,;=%|") {
		c[b] |= inURL
	}
	c['-'] |= hyphen
	c['&'] |= escape
	c['\\'] |= escape
	for _, b := range []byte{0xC2, 0xE2, 0xE3, 0xEF} {
		c[b] = lead
	}
	for b := 0xE4; b <= 0xE9; b++ {
		c[b] = han
	}
	return c
}

// A scanner is the state of one reading. The text is not in it but handed
// along, so that it stays where the caller has it.
type scanner struct {
	refs []Ref
	base int // refs before it are the caller's
	last int // the ref that was found last; counts only if base < len(refs)

	cleaned bool // the text has no invisible characters any more
	dirty   bool // it has some: clean it and read again
	stop    bool // a limit is reached
	peeks   bool // it only looks for a link, and stops at the first

	links  int // links seen so far, of whomever
	looks  int // links, codes and numbers examined so far
	dotted int // words before it belong to a dotted name that is no host
	closed int // the mark before it closed a 口令 and cannot open one

	shop    shop // whom the last label named: 【京东】
	quote   span // inside 「 since
	box     span // inside 【 since
	waiting span // a title that waits for its ref
	card    span // the last 【…】 that is no label; open if there is one
	cards   int  // where its 】 ends

	words  words // what the text says elsewhere, if asked
	asked  bool
	linked bool // whether a link follows, if peeked
	peeked bool

	steps int // bytes read, for the proof that time is linear
}

// A span is a piece of the text.
type span struct {
	start, end int
	seen       int // links and refs before its start
	open       bool
}

// run reads t.
func (s *scanner) run(t []byte) {
	s.last = s.base
	for i := 0; i < len(t) && !s.stop && !s.dirty; {
		c := class[t[i]]
		for c&(alnum|lead|escape) == 0 {
			i++
			if c&han != 0 && i+1 < len(t) && t[i+1] >= 0x80 {
				i += 2
			}
			if i >= len(t) {
				break
			}
			c = class[t[i]]
		}
		switch {
		case i >= len(t):
		case c&alnum != 0:
			i = s.word(t, i)
		case c&lead != 0:
			i = s.mark(t, i)
		default:
			s.dirty = !s.cleaned && isEscape(t, i)
			i++
		}
	}
	s.steps += len(t)
}

// Lengths of words that can mean something.
const (
	codeCharsMin   = 8  // of a 口令
	codeCharsMax   = 20 // of a 口令
	numberCharsMin = 10 // of a bare item id, the shortest number that means something
	numberCharsMax = 19 // of an order number of Taobao
)

// word reads the word at start and what hangs on it, and returns where to go on.
func (s *scanner) word(t []byte, start int) int {
	end, seen := start, uint8(0)
	for end < len(t) && class[t[end]]&inWord != 0 {
		seen |= class[t[end]]
		end++
	}
	s.steps += end - start
	if end < len(t) {
		switch {
		case t[end] == '.' && start >= s.dotted:
			if next, ok := s.name(t, start, end); ok {
				return next
			}
		case t[end] == ':' && hasMark(t, end, "://"):
			return s.schemed(t, start, start, end)
		}
	}
	n := end - start
	if n < codeCharsMin {
		return end
	}
	switch {
	case n >= jdHalfMin && end < len(t) && t[end] == '_':
		s.bareItem(t, start)
	case seen&hyphen != 0:
		s.hyphenated(t, start, end)
	case seen&letter == 0:
		if numberCharsMin <= n && n <= numberCharsMax {
			s.number(t, start, end)
		}
	case n <= codeCharsMax:
		s.code(t, start, end, seen)
	}
	return end
}

// look counts something that is worth a closer look, and says whether there
// are looks left.
func (s *scanner) look() bool {
	s.looks++
	s.stop = s.stop || s.looks > looksMax
	return !s.stop && !s.peeks
}

// sight counts a link.
func (s *scanner) sight() {
	s.links++
	s.stop = s.stop || s.peeks
}

// linkFollows says whether there is a link behind i. It reads on once, however
// often it is asked.
func (s *scanner) linkFollows(t []byte, i int) bool {
	if !s.peeked {
		s.peeked = true
		ahead := scanner{cleaned: true, peeks: true}
		ahead.run(t[i:])
		s.linked = ahead.links > 0
		s.steps += ahead.steps
	}
	return s.linked
}

// hasMark says whether t has mark at i. It inlines to a comparison.
func hasMark(t []byte, i int, mark string) bool {
	return len(t)-i >= len(mark) && string(t[i:i+len(mark)]) == mark
}

// bare says whether t[start:end] is all that the message has, but for blanks.
func bare(t []byte, start, end int) bool {
	return skipBack(t, start, start) == 0 && skip(t, end, len(t)-end) == len(t)
}

// skip returns where the blanks at i end, looking at most at limit bytes.
func skip(t []byte, i, limit int) int {
	for stop := i + limit; i < len(t) && i < stop; {
		n := blank(t[i:])
		if n == 0 {
			break
		}
		i += n
	}
	return i
}

// skipBack returns where the blanks before i begin, looking at most at limit
// bytes.
func skipBack(t []byte, i, limit int) int {
	for stop := i - limit; i > 0 && i > stop; {
		switch {
		case blank(t[i-1:i]) == 1:
			i--
		case i >= 2 && t[i-1] == 0xA0 && blank(t[i-2:i]) == 2:
			i -= 2
		case i >= 3 && t[i-1] == 0x80 && blank(t[i-3:i]) == 3:
			i -= 3
		default:
			return i
		}
	}
	return i
}

// blank returns the length of the blank that t begins with, 0 if there is none.
// Blanks are ASCII's, the no-break space and the ideographic space.
func blank(t []byte) int {
	switch {
	case len(t) == 0:
		return 0
	case t[0] == ' ' || '\t' <= t[0] && t[0] <= '\r':
		return 1
	case hasMark(t, 0, "\u00a0"):
		return 2
	case hasMark(t, 0, "\u3000"):
		return 3
	}
	return 0
}
