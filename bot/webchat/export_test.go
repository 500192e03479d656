package webchat

// Answering reports whether Run has begun and not ended: a message that is posted
// earlier is refused, to be sent again.
func (c *Chat) Answering() bool { return c.open() }
