package batches

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration as the tree writes it: whole numbers with
// the units d, h, m and s, the larger first, such as 2h, 90m or 1h30m.
func ParseDuration(s string) (time.Duration, error) {
	units := []struct {
		name byte
		size time.Duration
	}{{'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}
	rest, total, next := s, time.Duration(0), 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil || digits == len(rest) {
			return 0, badDuration(s)
		}
		for next < len(units) && units[next].name != rest[digits] {
			next++
		}
		if next == len(units) || n > int64(math.MaxInt64-total)/int64(units[next].size) {
			return 0, badDuration(s)
		}
		total += time.Duration(n) * units[next].size
		next++
		rest = rest[digits+1:]
	}
	if total <= 0 {
		return 0, badDuration(s)
	}
	return total, nil
}

func badDuration(s string) error {
	return fmt.Errorf("%q is no duration; write one such as 2h, 90m, 1h30m or 45s", s)
}

// ParseSize reads an amount of memory or disk in bytes: a whole number with
// Ki, Mi, Gi or Ti (powers of 1024), such as 16Gi.
func ParseSize(s string) (int64, error) {
	for i, unit := range []string{"Ki", "Mi", "Gi", "Ti"} {
		number, ok := strings.CutSuffix(s, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		shift := 10 * (i + 1)
		if err != nil || n <= 0 || number[0] == '+' || n > math.MaxInt64>>shift {
			break
		}
		return n << shift, nil
	}
	return 0, fmt.Errorf("%q is no size; write one such as 512Mi or 16Gi", s)
}

// ParseHeap reads a size as the JVM takes it behind -Xmx: a whole number with
// k, m, g or t, such as 4g. It returns bytes.
func ParseHeap(s string) (int64, error) {
	if s != "" {
		number, unit := s[:len(s)-1], s[len(s)-1]|0x20
		n, err := strconv.ParseInt(number, 10, 64)
		shift := 10 * (1 + strings.IndexByte("kmgt", unit))
		if err == nil && n > 0 && number[0] != '+' && shift > 0 && n <= math.MaxInt64>>shift {
			return n << shift, nil
		}
	}
	return 0, fmt.Errorf("%q is no heap size; write one such as 512m or 4g", s)
}
