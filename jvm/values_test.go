package jvm

import "testing"

func TestParseNumber(t *testing.T) {
	for _, test := range []struct {
		text   string
		signed bool
		want   number
		ok     bool
	}{
		{"0", false, number{}, true},
		{"8m", false, number{size: 8 << 20}, true},
		{"8M", false, number{size: 8 << 20}, true},
		{"1t", false, number{size: 1 << 40}, true},
		{"0x10", false, number{size: 16}, true},
		{"0x10k", false, number{size: 16 << 10}, true},
		{"18446744073709551615", false, number{size: 1<<64 - 1}, true},
		{"-9223372036854775808", true, number{true, 1 << 63}, true},
		{"-0", true, number{}, true},
		{"-1", false, number{}, false},
		{"+1", true, number{}, false},
		{"", false, number{}, false},
		{"k", false, number{}, false},
		{"0x", false, number{}, false},
		{"8kk", false, number{}, false},
		{"8 m", false, number{}, false},
		{"1_0", false, number{}, false},
		{"18446744073709551616", false, number{}, false},
		{"18446744073709551615k", false, number{}, false},
	} {
		if got, ok := parseNumber(test.text, test.signed); ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %v %v, want %v %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestCutOff(t *testing.T) {
	for _, test := range []struct {
		form     string
		in, want number
	}{
		{"uint", number{size: 1<<32 + 3}, number{size: 3}},
		{"int", number{size: 1<<32 + 3}, number{size: 3}},
		{"int", number{size: 1<<32 - 1}, number{true, 1}},
		{"int", number{true, 5}, number{true, 5}},
		{"intx", number{size: 1<<32 + 3}, number{size: 1<<32 + 3}},
	} {
		if got := cutOff(test.in, test.form); got != test.want {
			t.Errorf("%s %v: %v, want %v", test.form, test.in, got, test.want)
		}
	}
}

func TestRepairNumber(t *testing.T) {
	for text, want := range map[string]string{
		"256mb": "256m", "256MiB": "256m", " 256m": "256m", "=256m": "256m", "75%": "75", "1.5g": "1536m", "0.5g": "512m",
		"1,024": "1024", "8 m": "8m", "1.1k": "", "75.5": "", "lots": "", "": "", "1e3g": "", "-1m": "", "1/2g": "", ".g": "",
	} {
		if got := repairNumber(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
