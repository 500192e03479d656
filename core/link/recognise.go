package link

// Limits of what is recognised in one message. What lies beyond them is left
// out; the message is never refused.
const (
	// textBytesMax is how much of a message is read. The longest message of a
	// chat network, 4096 characters of three bytes, fits.
	textBytesMax = 16 << 10

	// shortBytesMax is the length of what goes for a short message. The longest
	// share texts have half of it.
	shortBytesMax = 1 << 10

	// refsMax is how many things one message can point at. People paste one;
	// the longest lists in groups have about twenty.
	refsMax = 24

	// looksMax is how many links, codes and numbers are examined in one
	// message, so that the work per message is bounded even if all are in vain.
	looksMax = 64
)

// Recognise says what text points at, in the order of the text. It never
// returns nil, so that its result is a list in JSON too.
//
// It does no I/O, never fails, takes time linear in the length of text and
// accepts any bytes. Of two refs with the same [Ref.Key] the first stays.
//
// What it decides where networks leave it open:
//
//   - Text that names a shop (【京东】, 打开淘宝) says whose a 口令 is. Without it,
//     14 characters are JD's and every other length is Taobao's.
//   - A code and a short link of one network that follow each other are one share,
//     and give one ref with both.
//   - A number of 18 or 19 digits is an order of Taobao, unless the message has a
//     link, or the number is an identity card, a bank card or is called
//     something else. With the word for order before it, it always is; then 16
//     and 17 digits are one too, and 11 or 12 digits are an order of JD.
//   - A bare number of 10 to 13 digits is an item of Taobao. One of 11 digits, or
//     of 12 that begins as JD's orders do, gives both: the item, then the order.
//     A phone number, a date and a bar code are nothing.
//   - Home pages are nothing: no network converts them.
func Recognise(text string) []Ref {
	return AppendRefs([]Ref{}, text)
}

// AppendRefs appends what text points at to dst, as [Recognise] does. It
// allocates nothing where it finds nothing, and the refs do not share memory
// with text. Refs that dst held before are left alone.
func AppendRefs(dst []Ref, text string) []Ref {
	if len(text) <= shortBytesMax {
		return appendShort(dst, text)
	}
	return appendLong(dst, cut(text))
}

// appendShort reads a copy of text on a small piece of the stack.
func appendShort(dst []Ref, text string) []Ref {
	var buf [shortBytesMax]byte
	s := scanner{refs: dst, base: len(dst)}
	s.read(buf[:copy(buf[:], text)])
	return s.refs
}

// appendLong reads a copy of text on a large piece of the stack. It is not
// inlined, so that short messages do without that piece.
//
//go:noinline
func appendLong(dst []Ref, text string) []Ref {
	var buf [textBytesMax]byte
	s := scanner{refs: dst, base: len(dst)}
	s.read(buf[:copy(buf[:], text)])
	return s.refs
}

// read finds the refs in t. If there is something in t that people cannot see, it
// is taken out, in place, and t is read again.
func (s *scanner) read(t []byte) {
	s.run(t)
	if s.dirty {
		*s = scanner{refs: s.refs[:s.base], base: s.base, cleaned: true, steps: s.steps + len(t)}
		s.run(t[:clean(t)])
	}
}

// cut shortens text to textBytesMax, and further to where no link, code or
// number is cut in two: half an id would be another item's id.
func cut(text string) string {
	if len(text) <= textBytesMax {
		return text
	}
	end := textBytesMax
	for end > textBytesMax-urlBytesMax && class[text[end-1]]&inURL != 0 {
		end--
	}
	return text[:end]
}
