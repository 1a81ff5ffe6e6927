package yamledit

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// quoteStyle is how a string was written before.
type quoteStyle int

const (
	plainStyle quoteStyle = iota
	singleStyle
	doubleStyle
)

// scalar writes a single value. Strings are put into quotes wherever a reader
// of YAML 1.1 or of 1.2 could take them for anything else.
func scalar(v Value, flow bool, like quoteStyle) string {
	text, tag, _ := scalarText(v)
	switch {
	case tag != "!!str":
		return text
	case like == plainStyle && plainSafe(text, flow):
		return text
	case !singleLine(text):
		return doubleQuoted(text)
	case like == singleStyle, like == plainStyle && strings.ContainsAny(text, `"\`) && !strings.Contains(text, "'"):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return doubleQuoted(text)
}

// plainTag is the tag that YAML gives a plain text.
func plainTag(text string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: text}
	return n.ShortTag()
}

// words that some version of YAML reads as something else than text.
var words = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true, "true": true, "false": true, "null": true,
}

// amount is a size or a duration, which no reader takes for a number.
var amount = regexp.MustCompile(`^[1-9][0-9]*(Ki|Mi|Gi|Ti|[kKmMgGhds])$`)

// plainSafe reports whether a string can stand without quotes. It allows less
// than YAML does: a letter, / or _ at the beginning, or - before a letter; and
// then what no reader takes for syntax.
func plainSafe(s string, flow bool) bool {
	first := strings.TrimPrefix(s, "-")
	if s == "" || first == "" || words[strings.ToLower(s)] || strings.HasSuffix(s, " ") || strings.HasSuffix(s, ":") || plainTag(s) != "!!str" {
		return false
	}
	if amount.MatchString(s) {
		return true
	}
	if r := []rune(first)[0]; !unicode.IsLetter(r) && (first != s || r != '/' && r != '_') {
		return false
	}
	for i, r := range s {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("_-./+=@%*()$!;~^", r):
		case r == ' ':
			if i > 0 && strings.ContainsAny(s[i-1:i], ": ") {
				return false
			}
		case r == ',' && flow:
			return false
		case r == ':' && flow:
			// -XX:+UseG1GC is text for all readers, a:] and a:, are not.
			if next, _ := utf8.DecodeRuneInString(s[i+1:]); !unicode.IsLetter(next) && !unicode.IsDigit(next) && next != '+' && next != '-' && next != '/' {
				return false
			}
		case r == ':' || r == ',':
		default:
			return false
		}
	}
	return true
}

// singleLine reports whether a string can stand in single quotes on one line.
func singleLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '\ufeff' })
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case unicode.IsPrint(r) && r != '\ufeff':
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
