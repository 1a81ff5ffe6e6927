package dsl

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// appendLiterals appends the text of a list of '…' in a Pipeline, up to the
// bracket behind it, and returns what follows.
func appendLiterals(dst []byte, list string) (text []byte, rest string) {
	inside := false
	for i := 0; i < len(list); i++ {
		start := i
		for i < len(list) && list[i] != '\\' && list[i] != '\'' && (inside || list[i] != ']') {
			i++
		}
		if inside {
			dst = append(dst, list[start:i]...)
		}
		switch {
		case i == len(list):
			return dst, ""
		case list[i] == ']':
			return dst, list[i:]
		case list[i] == '\'':
			inside = !inside
		case i+1 < len(list):
			var size int
			dst, size = appendEscaped(dst, list[i+1:])
			i += size
		}
	}
	return dst, ""
}

// unliteral is the text of the inside of one '…'.
func unliteral(s string) string {
	text, _ := appendLiterals(nil, "'"+s+"']")
	return string(text)
}

// endOfLiteral is the text up to the quote that ends a literal, and what
// follows.
func endOfLiteral(s string) (text, rest string) {
	end := 0
	for end < len(s) && s[end] != '\'' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(s))
	return unliteral(s[:end]), strings.TrimPrefix(s[end:], "'")
}

// appendEscaped appends what an escape stands for, and returns how many bytes
// it has behind its backslash.
func appendEscaped(dst []byte, s string) ([]byte, int) {
	if s[0] != 'u' {
		return append(dst, unescaped(s[0])), 1
	}
	high, ok := unitOf(s)
	if !ok {
		return append(dst, 'u'), 1
	}
	if utf16.IsSurrogate(high) && len(s) > 5 && s[5] == '\\' {
		if low, ok := unitOf(s[6:]); ok {
			return utf8.AppendRune(dst, utf16.DecodeRune(high, low)), 11
		}
	}
	return utf8.AppendRune(dst, high), 5
}

// unitOf reads uXXXX.
func unitOf(s string) (rune, bool) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	return rune(n), err == nil
}
