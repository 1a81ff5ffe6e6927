package batches

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// cronFields are the fields of a cron line and what they hold. H in the day
// of the month stays below 29, as in Jenkins, so that it comes every month.
var cronFields = [...]struct {
	name           string
	min, max, hMax int
}{
	{"minute", 0, 59, 59}, {"hour", 0, 23, 23}, {"day of month", 1, 31, 28}, {"month", 1, 12, 12}, {"day of week", 0, 7, 6},
}

// cronAliases are Jenkins' short forms (hudson.scheduler.CronTab).
var cronAliases = map[string]string{
	"@yearly": "H H H H *", "@annually": "H H H H *", "@monthly": "H H H * *", "@weekly": "H H * * H",
	"@daily": "H H * * *", "@midnight": "H H(0-2) * * *", "@hourly": "H * * * *",
}

// daysIn is the most days that each month can have.
var daysIn = [...]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// ErrNever is the fault of a line that Jenkins takes, and that starts nothing.
var ErrNever = errors.New("never comes")

// ParseCron reads a line in Jenkins' cron syntax and returns it with plain
// numbers: H and H(a-b) become numbers that depend on seed alone (a job's
// path), aliases are written out, Sunday is 0. A day must match both day
// fields, as in Jenkins (hudson.scheduler.CronTab); in other crons it must
// match one of the two.
func ParseCron(line, seed string) (string, error) {
	sets, err := cronSets(line, seed)
	if err != nil {
		return "", err
	}
	text := make([]byte, 0, 32)
	for i, set := range sets {
		if i > 0 {
			text = append(text, ' ')
		}
		text = appendCron(text, set, cronFields[i].min, cronFields[i].max)
	}
	return string(text), nil
}

// checkCron returns an error for a line that ParseCron does not take.
func checkCron(line string) error {
	_, err := cronSets(line, "")
	return err
}

// cronSets reads a line into the numbers that each field stands for.
func cronSets(line, seed string) (sets [len(cronFields)]uint64, err error) {
	given := line
	if long, ok := cronAliases[line]; ok {
		line = long
	}
	if n := len(strings.Fields(line)); n != len(cronFields) {
		if strings.HasPrefix(line, "@") {
			return sets, fmt.Errorf("%q is no alias that Jenkins knows; write five fields, or one such as @daily", given)
		}
		return sets, fmt.Errorf("%q has %d fields; cron takes five: minute, hour, day of month, month, day of week", given, n)
	}
	hash := sha256.Sum256([]byte(seed))
	i := 0
	for text := range strings.FieldsSeq(line) {
		sets[i], err = cronField(i, text, binary.BigEndian.Uint32(hash[4*i:]))
		if err != nil {
			return sets, fmt.Errorf("%q: %s: %w", given, cronFields[i].name, err)
		}
		i++
	}
	if !comes(sets[2], sets[3]) {
		return sets, fmt.Errorf("%q %w: no month in it has such a day", given, ErrNever)
	}
	return sets, nil
}

// restricted reports whether a field leaves any of its numbers out.
func restricted(set uint64, field int) bool {
	full := cronFields[field].max - cronFields[field].min + 1
	if field == 4 {
		full = 7 // 0 and 7 are both Sunday
	}
	return bits.OnesCount64(set) < full
}

// comes reports whether one of the months has one of the days.
func comes(days, months uint64) bool {
	first := bits.TrailingZeros64(days)
	for m := 1; m <= 12; m++ {
		if months&(1<<m) != 0 && first <= daysIn[m] {
			return true
		}
	}
	return false
}

// cronField reads one field into a set of numbers.
func cronField(i int, text string, hash uint32) (uint64, error) {
	var set uint64
	for term := range strings.SplitSeq(text, ",") {
		s, err := cronTerm(i, term, hash)
		if err != nil {
			return 0, err
		}
		set |= s
	}
	if i == 4 && set&(1<<7) != 0 {
		set = set&^(1<<7) | 1
	}
	return set, nil
}

// cronTerm reads *, H, H(a-b), a or a-b, the first three and the last with an
// optional /step.
func cronTerm(i int, term string, hash uint32) (uint64, error) {
	f := cronFields[i]
	base, stepText, stepped := strings.Cut(term, "/")
	step := 1
	if stepped {
		n, err := cronNumber(stepText)
		if err != nil || n < 1 || n > f.max {
			return 0, fmt.Errorf("%q is no step", stepText)
		}
		step = n
	}
	low, high := f.min, f.max
	switch {
	case base == "*":
		if i == 4 {
			high = 6
		}
	case base == "H" || strings.HasPrefix(base, "H("):
		high = f.hMax
		if base != "H" {
			var err error
			if low, high, err = cronRange(strings.TrimSuffix(base[2:], ")"), f.min, f.max); err != nil || !strings.HasSuffix(base, ")") {
				return 0, fmt.Errorf("%q is not H(low-high)", base)
			}
		}
		if !stepped {
			low += int(hash % uint32(high-low+1))
			high = low
		} else {
			low += int(hash % uint32(min(step, high-low+1)))
		}
	case strings.Contains(base, "-"):
		var err error
		if low, high, err = cronRange(base, f.min, f.max); err != nil {
			return 0, err
		}
	default:
		n, err := cronNumber(base)
		if err != nil {
			return 0, err
		}
		if n < f.min || n > f.max {
			return 0, fmt.Errorf("%d is out of range; it goes from %d to %d", n, f.min, f.max)
		}
		if stepped {
			return 0, fmt.Errorf("%q: a step needs a range; write %d-%d/%d", term, n, f.max, step)
		}
		low, high = n, n
	}
	var set uint64
	for n := low; n <= high; n += step {
		set |= 1 << n
	}
	return set, nil
}

func cronRange(s string, least, most int) (low, high int, err error) {
	a, b, _ := strings.Cut(s, "-")
	if low, err = cronNumber(a); err != nil {
		return 0, 0, err
	}
	if high, err = cronNumber(b); err != nil {
		return 0, 0, err
	}
	if low < least || high > most || low > high {
		return 0, 0, fmt.Errorf("%q is no range; it goes from %d to %d", s, least, most)
	}
	return low, high, nil
}

func cronNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no number; Jenkins takes no names of months or days", s)
	}
	return int(n), nil
}

// appendCron writes a set as one field: *, */n where it is that, else numbers
// and ranges.
func appendCron(dst []byte, set uint64, low, high int) []byte {
	if high == 7 {
		high = 6
	}
	switch step := steady(set, low, high); {
	case step == 1:
		return append(dst, '*')
	case step > 1:
		return strconv.AppendInt(append(dst, "*/"...), int64(step), 10)
	}
	begin := len(dst)
	for n := low; n <= high; n++ {
		if set&(1<<n) == 0 {
			continue
		}
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
		last := n
		for last < high && set&(1<<(last+1)) != 0 {
			last++
		}
		if last-n >= 2 {
			dst = strconv.AppendInt(append(dst, '-'), int64(last), 10)
			n = last
		}
	}
	return dst
}

// steady returns the step with which a set fills the whole range from low to
// high, with three numbers or more, or 0.
func steady(set uint64, low, high int) int {
	for step := 1; low+2*step <= high; step++ {
		var full uint64
		for n := low; n <= high; n += step {
			full |= 1 << n
		}
		if set == full {
			return step
		}
	}
	return 0
}
