package link

// What the text can say about a code or a number somewhere in it.
type words uint8

const (
	ofTaobao words = 1 << iota
	ofJD
	ofPDD
	ofOthers
	aCode
	anOrder
)

// hintBytes is the length of a hint: two Chinese characters. Longer words are
// told by their first two.
const hintBytes = 6

// A hint is a word by which texts say something.
type hint struct {
	key   uint64
	means words
}

// hints are the words by which texts say whose something is and what.
var hints = [...]hint{
	{hintKey("淘宝"), ofTaobao | aCode}, {hintKey("天猫"), ofTaobao | aCode}, {hintKey("手淘"), ofTaobao | aCode},
	{hintKey("淘口"), ofTaobao | aCode}, {hintKey("淘寶"), ofTaobao | aCode}, {hintKey("京东"), ofJD | aCode}, {hintKey("京東"), ofJD | aCode},
	{hintKey("京口"), ofJD | aCode}, {hintKey("拼多"), ofPDD | aCode},
	{hintKey("口令"), aCode}, {hintKey("复制"), aCode}, {hintKey("復制"), aCode}, {hintKey("長按"), aCode},
	{hintKey("长按"), aCode}, {hintKey("打开"), aCode}, {hintKey("打開"), aCode},
	{hintKey("订单"), anOrder}, {hintKey("定单"), anOrder}, {hintKey("訂單"), anOrder},
	{hintKey("抖音"), ofOthers}, {hintKey("唯品"), ofOthers}, {hintKey("快手"), ofOthers}, {hintKey("美团"), ofOthers},
	{hintKey("苏宁"), ofOthers}, {hintKey("考拉"), ofOthers}, {hintKey("小红"), ofOthers}, {hintKey("得物"), ofOthers},
}

// hintsBy are the hints by the third byte of their first character, which tells
// most of them and most other characters apart.
var hintsBy = byThird()

func byThird() (by [256][]hint) {
	for _, h := range hints {
		third := h.key >> 24 & 0xFF
		by[third] = append(by[third], h)
	}
	return by
}

// hintKey is the first hintBytes of t as a number.
func hintKey[T string | []byte](t T) uint64 {
	return uint64(t[0])<<40 | uint64(t[1])<<32 | uint64(t[2])<<24 | uint64(t[3])<<16 | uint64(t[4])<<8 | uint64(t[5])
}

// says says whether t says w anywhere. It reads t once, however often it is asked.
func (s *scanner) says(t []byte, w words) bool {
	if !s.asked {
		s.asked = true
		s.steps += len(t)
		s.words = wordsIn(t)
	}
	return s.words&w != 0
}

// wordsIn returns what t says.
func wordsIn(t []byte) (said words) {
	for i := 0; i < len(t); i++ {
		if class[t[i]]&han == 0 {
			if t[i] == 'r' && i > 0 && hasMark(t, i, "rder") && t[i-1]|0x20 == 'o' {
				said |= anOrder
			}
			continue
		}
		if len(t)-i < hintBytes {
			break
		}
		for _, h := range hintsBy[t[i+2]] {
			if h.key == hintKey(t[i:i+hintBytes]) {
				said |= h.means
			}
		}
	}
	return said
}
