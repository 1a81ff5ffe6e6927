package dsl_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/batchctl/batchctl/dsl"
)

// adversarial are pieces of text that have broken quoting somewhere.
var adversarial = []string{
	`'`, `"`, `\`, `\\`, `\'`, `'''`, `"""`, `$`, `${1+1}`, `$x`, "`", "`id`", `$(id)`, `\u0027`, `\\u0027`, `\uuu0027`, `\u000a`, `\u005c`,
	`\u005cu0027`, `\x27`, `\47`, `\n`, "\n", "\r", "\r\n", "\t", "\n\n", "/*", "*/", "//", "/$", "$/", "]", ".join('')", "')", "',", "'+", `'.concat('X')+'`,
	"END", "\nEND\n", "\nEND_\n", "<<END", "#", "#!", "{", "}", "}}", "{{x}}", "%s", "%n", "@", "@file", " ", "  ", ";", "|", "&", "&&", "!", "!!", "~", "*", "?", "[a]", "-", "--",
	"=", ":", ",", "<", ">", "&lt;", "]]>", "한국어", "정산", "é", "\u0301", "\u2028", "\u2029", "\u00a0", "\ufeff", "\ufffd", "\ue000", "𝔘", "😀", "\U0010ffff", "a", "0", "Z",
	"java", "exit 1", "rm -rf /", "export X=1", "\\\n", "\\\r\n", "\\\\\n", "${", "}${", "$${", "$$", "$1", "$@", "$?", "$!", "%0A", "null", "true",
}

// hostile returns n texts of adversarial pieces, the same for every run.
func hostile(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	texts := append([]string{""}, adversarial...)
	for len(texts) < n {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			if r.IntN(4) == 0 {
				b.WriteRune(printable(r))
			} else {
				b.WriteString(adversarial[r.IntN(len(adversarial))])
			}
		}
		texts = append(texts, b.String())
	}
	return texts[:n]
}

// printable returns some character that a text may hold.
func printable(r *rand.Rand) rune {
	for {
		c := rune(r.IntN([]int{0x80, 0x800, 0x10000, 0x110000}[r.IntN(4)]))
		if (c >= 0xa0 || c >= ' ' && c < 0x7f) && (c < 0xd800 || c > 0xdfff) && c != 0xfffe && c != 0xffff {
			return c
		}
	}
}

// units returns the UTF-16 units of a text in hex, as evaluate.groovy does.
func units(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(strings.ReplaceAll(s, "\r\n", "\n"))) {
		fmt.Fprintf(&b, "%04x", u)
	}
	return b.String()
}

func TestLiteralMeansItsText(t *testing.T) {
	texts := hostile(4000)
	for _, piece := range []string{"a", "'", `\`, "한", "😀", "\n", "\r\n", "\r", "é"} {
		for _, size := range []int{2047, 2048, 2049, 4097} {
			texts = append(texts, strings.Repeat(piece, size/len(piece)), "x"+strings.Repeat(piece, size/len(piece)))
		}
		texts = append(texts, strings.Repeat(piece, 70_000))
	}
	var tasks []task
	for i := 0; i < len(texts); i += 100 {
		var literals []string
		for _, text := range texts[i:min(i+100, len(texts))] {
			literal, err := dsl.Literal(text)
			if err != nil {
				t.Fatalf("%.100q: %v", text, err)
			}
			for _, c := range []byte(literal) {
				if c < ' ' || c > '~' {
					t.Fatalf("the literal of %.100q has the byte 0x%02x", text, c)
				}
			}
			literals = append(literals, literal)
		}
		tasks = append(tasks, task{Kind: "literals", Texts: literals})
	}
	for i, values := range evaluate[[]string](t, tasks) {
		for k, got := range values {
			if text := texts[100*i+k]; got != units(text) {
				t.Errorf("the literal of %.100q (%d bytes) means something else", text, len(text))
			}
		}
	}
}

func TestLiteralRefuses(t *testing.T) {
	for c := rune(0); c < 0xa0; c++ {
		allowed := c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0x7f
		if _, err := dsl.Literal("a" + string(c)); (err == nil) != allowed {
			t.Errorf("U+%04X: error %v", c, err)
		}
	}
	for _, s := range []string{"\ufffe", "\uffff", "\xff", "\xed\xa0\x80", "\xed\xbf\xbf", "한"[:2], strings.Repeat("한", 1000) + "\x00", strings.Repeat("\x80", 5000)} {
		if literal, err := dsl.Literal(s); err == nil {
			t.Errorf("%.20q is %.40s", s, literal)
		}
	}
	if _, err := dsl.Literal("\ufffd, the replacement character itself, is a text like any other"); err != nil {
		t.Error(err)
	}
}
