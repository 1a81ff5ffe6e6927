package ec2

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The embedded table can be read, and has what most people use.
func TestDefaultPrices(t *testing.T) {
	prices := must(loadPrices(""))
	for _, name := range []string{"m7g.xlarge", "m6i.large", "c7g.large", "r6a.2xlarge", "t3.medium"} {
		if p := prices[name]; p.onDemand <= 0 || p.onDemand > 1 || p.of(Spot) != 0 || p.of(OnDemand) != p.onDemand {
			t.Errorf("%s costs %+v", name, p)
		}
	}
	if prices["m7g.large"].onDemand*2 != prices["m7g.xlarge"].onDemand {
		t.Error("twice the machine is not twice the price")
	}
}

func TestReadPrices(t *testing.T) {
	prices := must(readPrices(strings.NewReader("# a comment\nm5.large, 0.1, 0.03\n\nm5.xlarge,0.2\n")))
	if prices["m5.large"] != (price{0.1, 0.03}) || prices["m5.xlarge"] != (price{0.2, 0}) || prices["m5.large"].of(Spot) != 0.03 {
		t.Errorf("got %v", prices)
	}
	for text, want := range map[string]string{
		"": "there is no price in it", "m5.large\n": "line 1: has 1 fields", "a,1,2,3": "has 4 fields", ",1": "line 1:",
		"a,1\nb,x": `line 2: "x" is no price`, "a,0": "no price", "a,-1": "no price", "a,NaN": "no price", "a,Inf": "no price", "a,1\na,2": "line 2: a has a price already", "\"a": "parse error",
	} {
		if _, err := readPrices(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// A file takes the place of the table, and its faults are told with its name.
func TestPriceFile(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.PriceFile = filepath.Join(t.TempDir(), "prices.csv")
	if _, err := New(background, c); err == nil || !strings.Contains(err.Error(), c.PriceFile) {
		t.Errorf("a file that is not there: %v", err)
	}
	l.no(os.WriteFile(c.PriceFile, []byte("r5.large,x"), 0o600))
	if _, err := New(background, c); err == nil || !strings.Contains(err.Error(), c.PriceFile) {
		t.Errorf("a file that is wrong: %v", err)
	}
	l.no(os.WriteFile(c.PriceFile, []byte("m6a.4xlarge,0.001"), 0o600))
	first := l.offers(l.driver(c), usualNeed)[0]
	if !strings.HasPrefix(first.Name, "m6a.4xlarge, ") || first.Price != 0.001 {
		t.Errorf("the first offer is %s for %v", first.Name, first.Price)
	}
}
