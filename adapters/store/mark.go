package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"fanli/core/withdraw"
)

// markOf is a digest of values, which are texts and numbers: of each its length
// or itself goes in, so that no two lists look alike.
func markOf(values ...any) string {
	b := make([]byte, 0, 128)
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b = binary.BigEndian.AppendUint64(b, uint64(len(v)))
			b = append(b, v...)
		case int64:
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		}
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// withdrawalMark is the mark of what changes in a withdrawal and decides about its
// money. What was asked for never changes; its entries prove that.
func withdrawalMark(state, payer, number string, rev int64) string {
	return markOf("withdrawal", state, payer, number, rev)
}

func markWithdrawal(w withdraw.Withdrawal) string {
	return withdrawalMark(string(w.State), w.Payer, w.Number, w.Rev)
}
