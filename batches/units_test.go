package batches

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"2h": 2 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "45s": 45 * time.Second, "1d12h": 36 * time.Hour,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "h", "0s", "-1h", "1.5h", "1m1h", "1h1h", "2 h", "2H", "9999999999d", "2147483647d", "1h "} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestParseSizes(t *testing.T) {
	for text, want := range map[string]int64{"512Mi": 512 << 20, "16Gi": 16 << 30, "1Ti": 1 << 40, "4Ki": 4096} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{"512m": 512 << 20, "4g": 4 << 30, "4G": 4 << 30, "1024k": 1 << 20, "1t": 1 << 40} {
		if got, err := ParseHeap(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "Gi", "16", "16G", "-1Gi", "+1Gi", "0Gi", "1.5Gi", "16gi", "9999999999Ti"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
	for _, text := range []string{"", "g", "4", "4gb", "4Gi", "-4g", "+4g", "0g", "1.5g", "9999999999t"} {
		if got, err := ParseHeap(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestPieces(t *testing.T) {
	for _, test := range []struct {
		text string
		want []Piece
	}{
		{"", nil},
		{"plain $x $$ $", []Piece{{Text: "plain $x $$ $"}}},
		{"${A}", []Piece{{"A", true}}},
		{"a${B}c${D}", []Piece{{Text: "a"}, {"B", true}, {Text: "c"}, {"D", true}}},
		{"$${A}", []Piece{{Text: "${A}"}}},
		{"x$${A}${B}", []Piece{{Text: "x${A}"}, {"B", true}}},
	} {
		got, err := Pieces(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", test.text, err, diff)
		}
	}
	for _, text := range []string{"${", "${A", "${}", "${a b}", "${1}", "${A:-x}"} {
		if got, err := Pieces(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// Whatever stands between references comes back as it was.
func TestPiecesKeepText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[a-z"' \\{}]{0,5}`), 1, 4).Draw(t, "texts")
		joined, want := texts[0], texts[0]
		for _, text := range texts[1:] {
			joined += "${V}" + text
			want += "<V>" + text
		}
		pieces, err := Pieces(joined)
		if err != nil {
			t.Fatalf("%q: %v", joined, err)
		}
		got := ""
		for _, p := range pieces {
			if p.Ref {
				got += "<" + p.Text + ">"
			} else {
				got += p.Text
			}
		}
		if got != want {
			t.Fatalf("%q: got %q, want %q", joined, got, want)
		}
	})
}
