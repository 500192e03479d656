package link

import "bytes"

// labelBytesMax is how far a number and what it is called may be apart.
const labelBytesMax = 40

// A call is what the text before a number calls it.
type call uint8

const (
	calledNothing call = iota
	calledOrder
	calledElse
)

// calls are the words that call a number something. The first that fits counts.
var calls = [...]struct {
	name string
	is   call
}{
	{"订单", calledOrder}, {"订单号", calledOrder}, {"订单编号", calledOrder}, {"订单号码", calledOrder},
	{"定单", calledOrder}, {"定单号", calledOrder}, {"order", calledOrder}, {"order no", calledOrder}, {"order id", calledOrder},
	{"orderid", calledOrder}, {"order number", calledOrder},
	{"快递单号", calledElse}, {"快递", calledElse}, {"快递号", calledElse}, {"运单号", calledElse},
	{"运单", calledElse}, {"物流单号", calledElse}, {"物流", calledElse}, {"物流号", calledElse},
	{"面单号", calledElse}, {"流水号", calledElse}, {"流水单号", calledElse}, {"交易号", calledElse},
	{"交易单号", calledElse}, {"商户单号", calledElse}, {"支付单号", calledElse}, {"退款单号", calledElse},
	{"身份证", calledElse}, {"身份证号", calledElse}, {"身份证号码", calledElse}, {"证件号", calledElse},
	{"卡号", calledElse}, {"银行卡", calledElse}, {"银行卡号", calledElse}, {"账号", calledElse},
	{"帐号", calledElse}, {"账户", calledElse}, {"手机", calledElse}, {"手机号", calledElse},
	{"手机号码", calledElse}, {"电话", calledElse}, {"电话号码", calledElse}, {"微信", calledElse},
	{"微信号", calledElse}, {"支付宝", calledElse}, {"条形码", calledElse}, {"条码", calledElse},
	{"货号", calledElse}, {"税号", calledElse}, {"qq", calledElse}, {"qq号", calledElse},
	{"tel", calledElse}, {"phone", calledElse}, {"card", calledElse}, {"tracking", calledElse},
	{"单号", calledOrder}, {"单编号", calledOrder},
}

// callOf says what the words right before the number at start call it.
func callOf(t []byte, start int) call {
	end := labelEnd(t, start)
	if end == 0 || class[t[end-1]]&digit != 0 {
		return calledNothing
	}
	label := t[max(0, end-labelBytesMax):end]
	last := label[len(label)-1]
	if class[last]&upper != 0 {
		last += 'a' - 'A'
	}
	for i := range calls {
		name := calls[i].name
		if n := len(name); name[n-1] == last && n <= len(label) && equalFold(label[len(label)-n:], name) {
			return calls[i].is
		}
	}
	return calledNothing
}

// labelEnd returns where the words end that stand before the number at start: what
// separates them from it does not count.
func labelEnd(t []byte, start int) int {
	end := start
	for end > 0 && start-end < labelBytesMax {
		before := skipBack(t, end, blanksMax)
		if before == end {
			before -= separator(t[:end])
		}
		if before == end {
			break
		}
		end = before
	}
	return end
}

// separator returns the length of the mark or word at the end of t that stands
// between a number and what it is called, 0 if there is none.
func separator(t []byte) int {
	switch t[len(t)-1] {
	case ':', '#', '.', '(', '"':
		return 1
	}
	for _, word := range [...]string{"：", "是", "为", "（", "【", "「"} {
		if bytes.HasSuffix(t, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
