package bus

// TriesMax is how often an event is tried.
const TriesMax = triesMax
