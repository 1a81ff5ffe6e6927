package nodes

// Finding is one thing that a driver has found when it was asked to try its
// cloud with the least it can.
type Finding struct {
	Place string // empty: the whole cloud
	Level Level
	Text  string // what is so, in words
	Hint  string // the way out; empty where there is none to be found
}

// Level says how a finding is meant.
type Level string

// The levels of findings.
const (
	Fine    Level = "ok"   // it was tried, and works
	Warning Level = "warn" // machines can be made, with a limit, or not for long
	Failure Level = "FAIL" // machines cannot be made
)
