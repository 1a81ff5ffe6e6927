package batches

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"
)

func TestParseCron(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"15 2 * * *", "15 2 * * *"},
		{"*/15 * * * *", "*/15 * * * *"},
		{"*/40 * * * *", "0,40 * * * *"},
		{"0,30 9-17 * * 1-5", "0,30 9-17 * * 1-5"},
		{"0 9-17/2 * * 7", "0 9,11,13,15,17 * * 0"},
		{"0 0 29 2 *", "0 0 29 2 *"},
		{"0 0 1,2,3,5 */3 5-7", "0 0 1-3,5 */3 0,5,6"},
		{"0 0 * * 0-6", "0 0 * * *"},
		{"H H(2-2) * * *", "39 2 * * *"},
	} {
		got, err := ParseCron(test.line, "live-1/shop/daily-report")
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.line, got, err, test.want)
		}
	}
	for _, line := range []string{"", "* * * *", "* * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
		"-1 * * * *", "1- * * * *", "a * * * *", "*/0 * * * *", "*/61 * * * *", "H(5) * * * *", "H(1-70) * * * *", "1,,2 * * * *",
		"0 0 31 2,4,6 *", "@never", "H(5-1) * * * *", "+1 * * * *"} {
		if got, err := ParseCron(line, "x"); err == nil {
			t.Errorf("%s: got %q, want an error", line, got)
		}
	}
}

// cronTermGen draws a term of one field, H among them.
func cronTermGen(low, high int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		a := rapid.IntRange(low, high).Draw(t, "a")
		b := rapid.IntRange(a, high).Draw(t, "b")
		step := rapid.IntRange(1, high).Draw(t, "step")
		return rapid.SampledFrom([]string{"*", fmt.Sprint(a), fmt.Sprintf("%d-%d", a, b), fmt.Sprintf("%d-%d/%d", a, b, step),
			fmt.Sprintf("*/%d", step), "H", fmt.Sprintf("H/%d", step), fmt.Sprintf("H(%d-%d)", a, b), fmt.Sprintf("H(%d-%d)/%d", a, b, step)}).Draw(t, "term")
	})
}

func cronLineGen() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var fields []string
		for _, f := range cronFields {
			terms := rapid.SliceOfN(cronTermGen(f.min, min(f.max, f.hMax)), 1, 3).Draw(t, f.name)
			fields = append(fields, strings.Join(terms, ","))
		}
		return strings.Join(fields, " ")
	})
}

// A resolved line holds plain numbers only, is its own resolution, and means
// the same to another cron library.
func TestCronProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := cronLineGen().Draw(t, "line")
		plain, err := ParseCron(line, "seed")
		if err != nil {
			return // a day that no month has
		}
		if strings.ContainsAny(plain, "H@(") {
			t.Fatalf("%s became %s", line, plain)
		}
		again, err := ParseCron(plain, "another seed")
		if err != nil || again != plain {
			t.Fatalf("%s became %s and then %s, %v", line, plain, again, err)
		}
		if strings.Contains(line, "H") {
			return
		}
		// Without H both lines can be read by the other library. It joins the
		// two day fields by or, so only lines with one of them can be compared
		// by the days they come on; equal sets come on equal days anyway.
		ours, err := cron.ParseStandard(plain)
		if err != nil {
			t.Fatalf("%s: %v", plain, err)
		}
		theirs, err := cron.ParseStandard(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		a, b := ours.(*cron.SpecSchedule), theirs.(*cron.SpecSchedule)
		const star = 1 << 63
		for i, pair := range [][2]uint64{{a.Minute, b.Minute}, {a.Hour, b.Hour}, {a.Dom, b.Dom}, {a.Month, b.Month}, {a.Dow, b.Dow}} {
			if pair[0]&^star != pair[1]&^star {
				t.Fatalf("%s became %s: the %s differs", line, plain, cronFields[i].name)
			}
		}
	})
}

// H spreads jobs over the hour.
func TestCronSpread(t *testing.T) {
	minutes := map[string]int{}
	for i := range 6000 {
		plain, err := ParseCron("H 2 * * *", fmt.Sprintf("live-1/g/job-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		minutes[strings.Fields(plain)[0]]++
	}
	for m, n := range minutes {
		if n > 150 {
			t.Errorf("%d of 6000 jobs start in minute %s", n, m)
		}
	}
	if len(minutes) != 60 {
		t.Errorf("only %d minutes are used", len(minutes))
	}
}

// Every zone that the tree may name is one that Go knows as well.
func TestZones(t *testing.T) {
	for _, name := range zones() {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkZone("Asia/Seoul"); err != nil {
		t.Error(err)
	}
}
