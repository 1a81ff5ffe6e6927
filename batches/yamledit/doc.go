// Package yamledit changes YAML files the way a careful person does: it
// replaces the bytes that change and leaves all others as they are, with their
// comments, order, quotes, anchors and line ends.
//
// Read File first. Each change is worked out as ranges of bytes of the text
// (splice.go), made, and then checked: the new text is parsed again, and must
// say what the old one said with that one change. A change that would do
// anything else is refused with an error, and the file keeps its text.
//
// What YAML means is left to yaml.v3; where its nodes end, which it does not
// say, is found here (span.go, scalar.go). The package knows nothing of what
// the files are for.
package yamledit
