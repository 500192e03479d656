package bot

// About returns what people read about us before they write, and in short.
func About(tag string) (long, short string) {
	v := voiceOf(tag)
	return v.T("about.long"), v.T("about.short")
}
