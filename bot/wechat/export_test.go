package wechat

// Split cuts a text into what goes into one message each.
func Split(text string) []string { return split(text, textBytesMax) }
