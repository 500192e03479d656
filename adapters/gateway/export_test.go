package gateway

// Texts is texts, by reason: Chinese and English.
func Texts() map[string][2]string {
	out := map[string][2]string{}
	for k, t := range texts() {
		out[k] = [2]string{t.zh, t.en}
	}
	return out
}

// DecodeBytes is decodeBytes.
func DecodeBytes(body []byte, into any) error { return decodeBytes(body, into) }

// Cursor and CutCursor are cursor and cutCursor.
func Cursor(id int64) string              { return cursor(id) }
func CutCursor(text string) (int64, bool) { return cutCursor(text) }
func StatusOf(err error) int              { return statusOf(err) }
