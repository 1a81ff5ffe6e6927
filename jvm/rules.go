package jvm

// The rules, which are the values of Finding.Rule. Reports and waivers outside
// this program name them, so they never change.
const (
	ruleUnknown      = "unknown-option"         // no JVM knows it
	ruleRemoved      = "removed-option"         // an earlier JVM knew it
	ruleNewer        = "newer-option"           // only a later JVM knows it
	ruleProcessor    = "other-processor"        // only a JVM on AArch64 knows it
	ruleObsolete     = "obsolete-option"        // ignored with a warning
	ruleDeprecated   = "deprecated-option"      // works with a warning
	ruleLocked       = "locked-option"          // needs an unlock option before it
	ruleDebugOnly    = "debug-only"             // only a debug build of the JVM takes it
	ruleCommentedOut = "commented-out"          // -XX:#… is ignored with a message
	ruleBadValue     = "bad-value"              // of the wrong form
	ruleRange        = "out-of-range"           // of the right form, but too small or too big
	ruleRounded      = "rounded-value"          // the JVM takes another value
	ruleUnit         = "surprising-unit"        // the value counts something else than it seems to
	ruleRepeated     = "repeated-option"        // a later one replaces an earlier one
	ruleHeapTwice    = "heap-twice"             // the same for the heap's size
	ruleInitial      = "initial-above-maximum"  // -Xms above -Xmx
	ruleMemory       = "above-node-memory"      // the heap does not fit into the node
	ruleCollectors   = "conflicting-collectors" // two collectors are selected
	ruleNoCollector  = "no-collector"           // the default collector is turned off
	ruleNotItsGC     = "wrong-collector"        // a flag of a collector that is not selected
	ruleHidesTypos   = "hides-typos"            // IgnoreUnrecognizedVMOptions
	ruleUnseen       = "unseen-options"         // options in a file that Lint cannot read
	ruleNotAnOption  = "not-an-option"          // would be the main class
	ruleEndsOptions  = "ends-options"           // -jar and the like, which are not for options
	ruleNeverRuns    = "never-runs"             // the JVM prints something and ends
	ruleNoEffect     = "no-effect"              // taken and useless here
	ruleLineBreak    = "line-break"             // a value with a line break in it
)
