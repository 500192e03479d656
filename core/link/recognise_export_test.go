package link

// The limits and the work of the scanner, for its tests.
const (
	TextBytesMax = textBytesMax
	RefsMax      = refsMax
	LooksMax     = looksMax
	WrapsMax     = wrapsMax
)

// Steps returns how many bytes Recognise reads for text, each as often as it is
// read.
func Steps(text string) int {
	t := []byte(cut(text))
	s := scanner{}
	s.read(t)
	return s.steps
}

// Clean returns what Recognise makes of text before it reads it a second time.
func Clean(text string) string {
	t := []byte(text)
	return string(t[:clean(t)])
}

// Decode returns text with what is escaped by % as what it stands for.
func Decode(text string) string {
	t := make([]byte, len(text))
	return string(t[:decode(t, []byte(text))])
}
