package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written as 512Mi or 16Gi.
type Size int64

var units = []struct {
	name  string
	bytes int64
}{{"Ti", 1 << 40}, {"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}}

// String writes the size as it is written in a file, where it is a whole
// number of units.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func parseSize(text string) (Size, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && (n > math.MaxInt64/u.bytes || n < 0):
			return 0, fmt.Errorf("%s is out of range", text)
		case err == nil && !strings.HasPrefix(digits, "+"):
			return Size(n * u.bytes), nil
		}
	}
	return 0, fmt.Errorf("%q is no size; write a whole number and Ki, Mi, Gi or Ti: 512Mi", text)
}

// setScalar sets v to the value that the text has in that form.
func setScalar(f form, text string, v reflect.Value) error {
	switch f {
	case textForm:
		v.SetString(text)
	case boolForm:
		v.SetBool(text == "true" || text == "True" || text == "TRUE")
	case intForm:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s is no integer as it is read here; write plain decimal digits", text)
		}
		if err != nil || v.OverflowInt(n) {
			return fmt.Errorf("%s is out of range", text)
		}
		v.SetInt(n)
	case floatForm:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("%s is no number that can be used here", text)
		}
		v.SetFloat(n)
	case durationForm:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration; write numbers with units such as 30s, 10m, 2h or 1h30m", text)
		}
		v.SetInt(int64(d))
	case sizeForm:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(n))
	}
	return nil
}

// number returns what min and max compare.
func number(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanFloat():
		return v.Float()
	}
	return float64(v.Len())
}

// show writes a bound as the value is written.
func (s *shape) show(n float64) string {
	switch s.form {
	case durationForm:
		return shortDuration(time.Duration(n))
	case sizeForm:
		return Size(n).String()
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}
