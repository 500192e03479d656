package link

import "bytes"

// A shop is a network whose forms or names are known. It is a number and not
// a name so that what the scanner passes around holds no strings.
type shop uint8

const (
	shopNone shop = iota
	shopTaobao
	shopJD
	shopPDD
	shopVip
	shopDouyin
	shopMeituan
	shopSuning
	shopKaola
	shopXianyu // 闲鱼: Taobao's second-hand market, which pays no commission
	shopOther  // a shop that shares by links of its own and has no forms here
)

// shopNames are the names of networks in refs.
var shopNames = [...]string{
	shopTaobao: Taobao, shopJD: JD, shopPDD: PDD, shopVip: "vip", shopDouyin: "douyin", shopMeituan: "meituan",
	shopSuning: "suning", shopKaola: "kaola", shopXianyu: "xianyu", shopOther: "",
}

// labels are the words in 【】 by which apps say whose share it is.
var labels = map[string]shop{
	"淘宝": shopTaobao, "天猫": shopTaobao, "手机淘宝": shopTaobao, "淘宝特价版": shopTaobao, "淘特": shopTaobao,
	"天猫超市": shopTaobao, "天猫国际": shopTaobao, "淘宝直播": shopTaobao, "聚划算": shopTaobao, "淘工厂": shopTaobao,
	"京东": shopJD, "京喜": shopJD, "京东超市": shopJD, "京东国际": shopJD, "京东购物": shopJD, "京东极速版": shopJD,
	"拼多多": shopPDD, "多多进宝": shopPDD, "多多买菜": shopPDD,
	"唯品会": shopVip, "抖音": shopDouyin, "抖音商城": shopDouyin, "美团": shopMeituan, "美团外卖": shopMeituan,
	"苏宁": shopSuning, "苏宁易购": shopSuning, "考拉": shopKaola, "考拉海购": shopKaola, "闲鱼": shopXianyu,
	"快手": shopOther, "快手小店": shopOther, "小红书": shopOther, "得物": shopOther,
	"1688": shopOther, "饿了么": shopOther, "微信": shopOther,
}

// Limits of a title.
const (
	titleBytesMax = 600 // 200 Chinese characters; shops allow 60 to 100
	cardRunesMin  = 4   // shorter text in 【】 is a mark (【自营】), not a title
)

// mark reads the mark of several bytes that may begin at i and returns where to
// go on.
func (s *scanner) mark(t []byte, i int) int {
	end := i + 3
	if end > len(t) {
		s.dirty = !s.cleaned && invisible(t[i:]) > 0
		return i + 1
	}
	switch t[i+1] {
	case 0x80:
		if t[i] != 0xE3 {
			break
		}
		switch t[i+2] {
		case 0x8C: // 「
			s.quote = span{start: end, seen: s.links + len(s.refs), open: true}
		case 0x8D: // 」
			s.quoted(t, i)
		case 0x90: // 【
			s.box = span{start: end, seen: s.links + len(s.refs), open: true}
		case 0x91: // 】
			s.boxed(t, i)
		default:
			return i + 1
		}
		return end
	case 0x81, 0xAD, 0xB8, 0xBB, 0xBC, 0xBD:
	default:
		return i + 1
	}
	s.dirty = !s.cleaned && (invisible(t[i:]) > 0 || isWide(t[i:]))
	return i + 1
}

// quoted takes what stands in 「」 and ends at end as a title: of the ref before
// it if that has none, else of the next one. What holds a link or is a quoted
// message of WeChat is no title.
func (s *scanner) quoted(t []byte, end int) {
	title, ok := s.titleIn(t, s.quote, end)
	s.quote.open = false
	if !ok || isQuotedMessage(t, end+len("」")) {
		return
	}
	if s.last < len(s.refs) {
		if r := &s.refs[s.last]; r.Title == "" && r.Kind != Order {
			r.Title = string(t[title.start:title.end])
			return
		}
	}
	s.waiting = title
}

// boxed takes what stands in 【】 and ends at end: a label, or what may be the
// title of a link right behind it.
func (s *scanner) boxed(t []byte, end int) {
	title, ok := s.titleIn(t, s.box, end)
	s.box.open = false
	if !ok {
		return
	}
	text := t[title.start:title.end]
	if who, ok := labels[string(text)]; ok {
		s.shop = who
		return
	}
	if runesAtLeast(text, cardRunesMin) {
		s.card, s.cards = title, end+len("】")
	}
}

// titleIn returns the text, without the blanks around it, between the mark before
// in and the one at end, if it can be a title.
func (s *scanner) titleIn(t []byte, in span, end int) (title span, ok bool) {
	if !in.open || in.seen != s.links+len(s.refs) || end-in.start > titleBytesMax {
		return span{}, false
	}
	start := skip(t[:end], in.start, titleBytesMax)
	end = max(start, skipBack(t, end, end-start))
	return span{start: start, end: end, open: true}, start < end && bytes.IndexByte(t[start:end], '\n') < 0
}

// cardTitle returns the title in 【】 that stands right before start, if any.
func (s *scanner) cardTitle(t []byte, start int) string {
	if !s.card.open || s.cards > start || skip(t, s.cards, blanksMax) != start {
		return ""
	}
	return string(t[s.card.start:s.card.end])
}

// isQuotedMessage says whether the 」 that ends at i closes the message that
// somebody answers in WeChat: a line of hyphens follows.
func isQuotedMessage(t []byte, i int) bool {
	return hasMark(t, skip(t, i, blanksMax), "- - -")
}

// runesAtLeast says whether t has n characters or more.
func runesAtLeast(t []byte, n int) bool {
	for i := 0; i < len(t) && n > 0; i++ {
		if t[i]&0xC0 != 0x80 {
			n--
		}
	}
	return n <= 0
}
