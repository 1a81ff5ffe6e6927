package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/strictyaml"
)

// garden has a field of every form.
type garden struct {
	Name    string             `yaml:"name" required:"true" pattern:"[a-z]+" example:"home"`
	Note    string             `yaml:"note"`
	Soil    string             `yaml:"soil" default:"loam" enum:"loam,sand,clay"`
	Open    bool               `yaml:"open" default:"true"`
	Beds    int                `yaml:"beds" default:"2" min:"1" max:"9"`
	Seeds   int64              `yaml:"seeds"`
	Depth   float64            `yaml:"depth" default:"0.5" min:"0.1"`
	Water   time.Duration      `yaml:"water" default:"30m" min:"1m"`
	Shed    strictyaml.Size    `yaml:"shed" default:"1Gi" max:"16Gi"`
	Tools   []string           `yaml:"tools" default:"[rake, hoe]"`
	Plants  []plant            `yaml:"plants" min:"1"`
	Sunny   map[string]int     `yaml:"sunny" keys:"[a-z]+"`
	Corners map[string]*plant  `yaml:"corners"`
	Fence   *fence             `yaml:"fence"`
	Gate    gate               `yaml:"gate"`
	Pump    map[string]machine `yaml:"pump"`
}

type plant struct {
	Kind string `yaml:"kind" required:"true"`
	High even   `yaml:"high"`
}

type fence struct {
	High int `yaml:"high" required:"true"`
}

type gate struct {
	Width int `yaml:"width" default:"3"`
}

type machine struct {
	Driver string    `yaml:"driver" required:"true" enum:"wind,motor"`
	Wind   *windmill `yaml:",inline" when:"driver=wind"`
	Motor  *motor    `yaml:",inline" when:"driver=motor"`
}

type windmill struct {
	Sails int `yaml:"sails" default:"4"`
	Power int `yaml:"power" max:"9"`
}

type motor struct {
	Fuel  string `yaml:"fuel" required:"true" example:"petrol"`
	Power string `yaml:"power" enum:"low,high"`
}

// even is a Checker.
type even int

func (e even) Check() error {
	if e%2 != 0 {
		return errors.New("it must be even; add one")
	}
	return nil
}

const whole = `
name: home
note: 2026-03-01
soil: sand
open: false
beds: 3
seeds: 5000000000
depth: 2
water: 1h30m
shed: 512Mi
tools: &tools [rake]
plants: [{kind: rose, high: 2}, {kind: oak}]
sunny: {south: 8, north: 2}
corners: {west: {kind: fern}}
fence: {high: 2}
gate:
pump:
  a: {driver: wind, power: 3}
  b: {driver: motor, fuel: gas, power: high}
`

func decode(text string) (garden, *strictyaml.Document, strictyaml.Problems) {
	var g garden
	doc, problems := strictyaml.Decode("g.yaml", []byte(text), &g)
	return g, doc, problems
}

func TestDecode(t *testing.T) {
	got, doc, problems := decode(whole)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := garden{
		Name: "home", Note: "2026-03-01", Soil: "sand", Beds: 3, Seeds: 5000000000, Depth: 2, Water: 90 * time.Minute, Shed: 512 << 20,
		Tools: []string{"rake"}, Plants: []plant{{"rose", 2}, {"oak", 0}}, Sunny: map[string]int{"south": 8, "north": 2},
		Corners: map[string]*plant{"west": {"fern", 0}}, Fence: &fence{2}, Gate: gate{3},
		Pump: map[string]machine{"a": {"wind", &windmill{4, 3}, nil}, "b": {"motor", nil, &motor{"gas", "high"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{
		"plants[1].kind": "g.yaml:12:40", "plants": "g.yaml:12:1", "plants[1].high": "g.yaml:12:33", "pump.b": "g.yaml:19:3", "none.at[3].all": "g.yaml:2:1", "fence.high": "g.yaml:15:15",
	} {
		if got := doc.At(path).String(); got != want {
			t.Errorf("%s is at %s, not at %s", path, got, want)
		}
	}
	if !doc.Has("soil") || doc.Has("gate.width") {
		t.Error("what is in the file and what is a default are not told apart")
	}
}

func TestDefaults(t *testing.T) {
	got, _, problems := decode("name: home\nplants: [{kind: rose}]")
	want := garden{
		Name: "home", Soil: "loam", Open: true, Beds: 2, Depth: 0.5, Water: 30 * time.Minute, Shed: 1 << 30,
		Tools: []string{"rake", "hoe"}, Plants: []plant{{Kind: "rose"}}, Gate: gate{3},
	}
	if diff := cmp.Diff(want, got); len(problems) > 0 || diff != "" {
		t.Error(problems, diff)
	}
}

// What is wrong is said with its place, its path and the way out.
func TestProblems(t *testing.T) {
	for name, test := range map[string]struct{ add, want string }{
		"unknown key":      {"sol: clay", "g.yaml:3:1: sol: unknown key\n    did you mean soil?"},
		"far from all":     {"fence: {high: 1, xyzzy: 1}", "g.yaml:3:18: fence.xyzzy: unknown key\n    known here: high"},
		"twice":            {"beds: 1\nbeds: 2", "g.yaml:4:1: beds: the key stands in line 3 already\n    keep one of the two"},
		"wrong type":       {"note: 12", "g.yaml:3:7: note: this is an integer, and must be a string\n    write \"12\""},
		"quoted number":    {`beds: "2"`, "g.yaml:3:7: beds: this is a string, and must be an integer\n    write 2 without quotes"},
		"list for text":    {"note: [a]", "g.yaml:3:7: note: this is a list, and must be a string"},
		"text for list":    {"tools: rake", "g.yaml:3:8: tools: this is a string, and must be a list\n    write [rake]"},
		"map for list":     {"tools: {a: 1}", "g.yaml:3:8: tools: this is a map, and must be a list"},
		"not a bool":       {"open: yes", "g.yaml:3:7: open: this is a string, and must be true or false\n    write true or false, without quotes"},
		"own tag":          {"note: !secret x", "g.yaml:3:7: note: this is of the unknown type !secret, and must be a string"},
		"octal":            {"beds: 0o7", "g.yaml:3:7: beds: 0o7 is no integer as it is read here; write plain decimal digits"},
		"too long":         {"seeds: 99999999999999999999", "g.yaml:3:8: seeds: this is a number, and must be an integer\n    write 99999999999999999999 without quotes"},
		"infinite":         {"depth: .inf", "g.yaml:3:8: depth: .inf is no number that can be used here"},
		"too many":         {"beds: 10", "g.yaml:3:7: beds: 10 is out of range; the most is 9"},
		"too few":          {"beds: 0", "g.yaml:3:7: beds: 0 is out of range; the least is 1"},
		"too flat":         {"depth: 0.01", "g.yaml:3:8: depth: 0.01 is out of range; the least is 0.1"},
		"bare duration":    {"water: 30", "g.yaml:3:8: water: this is an integer, and must be a duration such as 30s, 10m or 2h\n    write 30s for seconds"},
		"no duration":      {"water: soon", `g.yaml:3:8: water: "soon" is no duration; write numbers with units such as 30s, 10m, 2h or 1h30m`},
		"short duration":   {"water: 30s", "g.yaml:3:8: water: 30s is out of range; the least is 1m"},
		"bare size":        {"shed: 16", "g.yaml:3:7: shed: this is an integer, and must be a size such as 512Mi or 16Gi\n    write a unit behind it: 16Gi"},
		"decimal size":     {"shed: 16GB", `g.yaml:3:7: shed: "16GB" is no size; write a whole number and Ki, Mi, Gi or Ti: 512Mi`},
		"big size":         {"shed: 17Gi", "g.yaml:3:7: shed: 17Gi is out of range; the most is 16Gi"},
		"overflow":         {"shed: 9223372036854775807Ti", "g.yaml:3:7: shed: 9223372036854775807Ti is out of range"},
		"enum":             {"soil: loan", "g.yaml:3:7: soil: \"loan\" is not one of loam, sand, clay\n    did you mean loam?"},
		"checker":          {"corners: {w: {kind: a, high: 3}}", "g.yaml:3:30: corners.w.high: it must be even; add one"},
		"missing within":   {"corners: {w: {high: 2}}", "g.yaml:3:11: corners.w.kind: is missing"},
		"missing in list":  {"corners: {w: {kind: ''}}", "g.yaml:3:21: corners.w.kind: is empty, and must have a value"},
		"no value":         {"beds:", "g.yaml:3:1: beds: has no value\n    write one behind the colon, or take the key out"},
		"no value in list": {"tools: [~]", "g.yaml:3:9: tools[0]: has no value, and must be a string"},
		"name":             {"sunny: {South-1: 2}", "g.yaml:3:18: sunny.South-1: the name \"South-1\" is not of the form [a-z]+"},
		"odd name":         {"sunny: {a.b: 2}", "g.yaml:3:14: sunny.\"a.b\": the name \"a.b\" is not of the form [a-z]+"},
		"key is a list":    {"[a]: 2", "g.yaml:3:1: a key must be a single word, and this is a list"},
		"merge":            {"<<: {beds: 1}", "g.yaml:3:1: keys are not merged here with <<\n    write them out, or give an alias for a whole value"},
		"other driver":     {"pump: {a: {driver: wind, fuel: gas}}", "g.yaml:3:26: pump.a.fuel: unknown key\n    it belongs to driver: motor"},
		"driver's own":     {"pump: {a: {driver: motor}}", "g.yaml:3:8: pump.a.fuel: is missing\n    such as fuel: petrol"},
		"two documents":    {"---\nname: x", "g.yaml:3:1: a second document begins here\n    keep one document in the file"},
		"no YAML":          {"tools: [", "g.yaml:3:1: this is no YAML: did not find expected node content\n    look at the lines just above, too: quotes, brackets and indentation"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, problems := decode("name: home\nplants: [{kind: rose}]\n" + test.add)
			if diff := cmp.Diff(test.want, problems.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// All problems are said at once, sorted.
func TestAllProblems(t *testing.T) {
	_, _, problems := decode("soil: mud\nplants: []\nnote: 1\nfence: {}\n")
	want := `g.yaml:1:1: name: is missing
    such as name: home
g.yaml:1:7: soil: "mud" is not one of loam, sand, clay
g.yaml:2:1: plants: has 0 entries, and needs 1 at least
g.yaml:3:7: note: this is an integer, and must be a string
    write "1"
g.yaml:4:1: fence.high: is missing`
	if diff := cmp.Diff(want, problems.Error()); diff != "" {
		t.Error(diff)
	}
	for _, empty := range []string{"", "# nothing\n", "~\n"} {
		if _, _, problems := decode(empty); len(problems) == 0 || problems[0].String() != "g.yaml:1:1: name: is missing\n    such as name: home" {
			t.Errorf("%q: %v", empty, problems)
		}
	}
	if _, _, problems := decode("[a]"); problems.Error() != "g.yaml:1:1: this is a list, and must be a map" {
		t.Error(problems)
	}
}

// A few lines of anchors can stand for billions of values; they are refused
// before that costs anything.
func TestAliases(t *testing.T) {
	type bomb struct {
		A [][][][]string `yaml:"a"`
	}
	row := strings.Repeat("*a,", 60)
	text := "a:\n- [[&a [" + strings.Repeat("w,", 60) + "]," + row + "]]\n- [&b [" + row + "]," + strings.Repeat("*b,", 60) + "]\n"
	var v bomb
	_, problems := strictyaml.Decode("b.yaml", []byte(text), &v)
	if len(problems) != 1 || !strings.Contains(problems.Error(), "more than 100000 values") {
		t.Error(problems)
	}
	_, _, problems = decode("name: &n [*n]")
	if len(problems) == 0 {
		t.Error("an alias of itself is no string")
	}
	if _, problems := strictyaml.Decode("big.yaml", make([]byte, 2<<20), &v); len(problems) != 1 || !strings.Contains(problems.Error(), "at most 1048576 are read") {
		t.Error(problems)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(whole)
	f.Add("a: &a [*a]")
	f.Add("? {a: b}\n: !!int x\n<<: *b")
	f.Add("name: !!binary ∑\n--- \n...")
	f.Fuzz(func(t *testing.T, text string) {
		_, doc, problems := decode(text)
		for _, p := range problems {
			if p.Message == "" || p.Place.Line < 1 || p.Place.Col < 1 {
				t.Errorf("%+v", p)
			}
		}
		doc.At(text)
	})
}
