package jvm

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number is an integer as HotSpot reads it: a sign and 64 bits.
type number struct {
	negative bool
	size     uint64
}

// parseNumber reads digits or 0x and hexadecimal digits, with one k, m, g or t
// after them. Only signed flags take a minus.
func parseNumber(s string, signed bool) (number, bool) {
	digits, negative := s, false
	if signed {
		digits, negative = strings.CutPrefix(s, "-")
	}
	base := 10
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		digits, base = digits[2:], 16
	}
	shift := 0
	if n := len(digits); n > 0 {
		if shift = unitShift(digits[n-1]); shift > 0 {
			digits = digits[:n-1]
		}
	}
	if digits == "" || digits[0] == '+' || strings.Contains(digits, "_") {
		return number{}, false
	}
	size, err := strconv.ParseUint(digits, base, 64)
	if err != nil || size > math.MaxUint64>>shift {
		return number{}, false
	}
	return number{negative && size > 0, size << shift}, true
}

func unitShift(b byte) int {
	switch b | 0x20 {
	case 'k':
		return 10
	case 'm':
		return 20
	case 'g':
		return 30
	case 't':
		return 40
	}
	return 0
}

// less compares two numbers.
func (n number) less(m number) bool {
	if n.negative != m.negative {
		return n.negative
	}
	if n.negative {
		return n.size > m.size
	}
	return n.size < m.size
}

// parseSize reads the size in an option such as -Xmx4g.
func parseSize(s string) (uint64, bool) {
	n, ok := parseNumber(s, false)
	return n.size, ok
}

// sizeText writes a size as people do: 8m, not 8388608.
func sizeText(n uint64) string {
	for _, unit := range []struct {
		shift int
		name  string
	}{{40, "t"}, {30, "g"}, {20, "m"}, {10, "k"}} {
		if n != 0 && n%(1<<unit.shift) == 0 {
			return fmt.Sprint(n>>unit.shift, unit.name)
		}
	}
	return fmt.Sprint(n)
}

// repairNumber turns what people write into what a JVM reads: 75% → 75,
// 256mb → 256m, " 256m" → 256m, =256m → 256m, 1.5g → 1536m. It returns "" where
// the meaning is not plain.
func repairNumber(s string) string {
	s = strings.ToLower(strings.Trim(s, " \t\n=:%\"'"))
	s = strings.NewReplacer(" ", "", "_", "", ",", "").Replace(s)
	s = strings.TrimSuffix(strings.TrimSuffix(s, "b"), "i")
	if _, ok := parseNumber(s, false); ok || s == "" {
		return s
	}
	shift := unitShift(s[len(s)-1])
	value, ok := new(big.Rat).SetString(strings.TrimRight(s, "kmgt"))
	if !ok || shift == 0 || len(s) > 20 || strings.ContainsAny(s, "/ex") || value.Sign() <= 0 {
		return ""
	}
	value.Mul(value, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(shift))))
	if !value.IsInt() || !value.Num().IsUint64() {
		return ""
	}
	return sizeText(value.Num().Uint64())
}

// decimal reports whether a flag of type double surely takes s on every
// release, and whether it surely takes it on none. Between the two are forms
// such as 1e1 and .5, on which the releases differ; Lint leaves them alone.
func decimal(s string) (value float64, good, bad bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if allDigits(whole) && (!pointed || allDigits(fraction)) {
		value, err := strconv.ParseFloat(s, 64)
		return value, err == nil, false
	}
	return 0, false, s == "" || strings.Trim(s, "+-.0123456789abcdefABCDEFxXpPkKmMgGtT") != ""
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
