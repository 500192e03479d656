package notify

import (
	"slices"
	"strconv"
	"strings"
)

// stated are the kinds that tell a state, with a key that ends with its revision.
var stated = [...]Kind{
	OrderSeen, RebateChanged, RebateReady, RebateSettled, RebateRevoked, Received, WithdrawalNews, ClaimNews, ChargeNews, AutopayNews,
}

// current leaves out of ms what is overtaken: a newer state of the same thing was
// written before, or is among them.
func current(tx Tx, ms []Message) ([]Message, error) {
	newest := map[string]int64{}
	var prefixes []string
	for _, m := range ms {
		if subject, _, ok := revision(m.Key); ok && slices.Contains(stated[:], m.Kind) {
			if _, known := newest[subject]; !known {
				prefixes = append(prefixes, subject)
			}
			newest[subject] = 0
		}
	}
	if len(prefixes) == 0 {
		return ms, nil
	}
	keys, err := tx.Keys(prefixes)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		keys = append(keys, m.Key)
	}
	for _, key := range keys {
		if subject, rev, ok := revision(key); ok {
			newest[subject] = max(newest[subject], rev)
		}
	}
	return slices.DeleteFunc(slices.Clone(ms), func(m Message) bool {
		subject, rev, ok := revision(m.Key)
		return ok && slices.Contains(stated[:], m.Kind) && rev < newest[subject]
	}), nil
}

// revision takes a key apart: "withdrawal/7/3-paid" is revision 3 of "withdrawal/7/".
func revision(key string) (subject string, rev int64, ok bool) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", 0, false
	}
	digits := strings.TrimLeft(key[i+1:], "abcdefghijklmnopqrstuvwxyz")
	if end := strings.IndexByte(digits, '-'); end >= 0 {
		digits = digits[:end]
	}
	rev, err := strconv.ParseInt(digits, 10, 64)
	return key[:i+1], rev, err == nil
}
