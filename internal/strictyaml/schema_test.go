package strictyaml_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/strictyaml"
)

// The JSON Schema takes what Decode takes, and refuses what it refuses as far
// as JSON Schema can say it.
func TestJSONSchema(t *testing.T) {
	text, err := json.Marshal(strictyaml.JSONSchema(garden{}))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("g.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("g.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		// An editor's YAML has no dates: a plain one is a string.
		if m := v.(map[string]any); m["note"] != nil {
			m["note"] = fmt.Sprint(m["note"])
		}
		text2, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text2)))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	if err := check(whole); err != nil {
		t.Error(err)
	}
	const least = "name: home\nplants: [{kind: rose}]\n"
	if err := check(least); err != nil {
		t.Error(err)
	}
	for _, add := range []string{
		"sile: clay", "open: yes1", "beds: 10", "beds: 0", "water: 30", "water: soon", "shed: 16GB", "soil: mud", "tools: rake",
		"fence: {}", "fence: {high: 1, low: 2}", "sunny: {South-1: 2}", "plants2: []",
		"pump: {a: {driver: wind, fuel: gas}}", "pump: {a: {driver: motor}}", "pump: {a: {driver: motor, fuel: x, power: 3}}", "pump: {a: {driver: wind, power: high}}", "pump: {a: {power: 3}}", "pump: {a: {driver: horse}}", "pump: {a: {sails: 3}}",
	} {
		if check(least+add) == nil {
			t.Errorf("the schema takes %q", add)
		}
		if _, _, problems := decode(least + add); len(problems) == 0 {
			t.Errorf("Decode takes %q", add)
		}
	}
}

func TestReference(t *testing.T) {
	got := strictyaml.Reference(garden{})
	for _, want := range []string{
		"| `name` | string of the form `[a-z]+`, such as `home` | **required** |  |\n",
		"| `beds` | integer, 1 to 9 | `2` |  |\n",
		"| `water` | duration, 1m or more | `30m` |  |\n",
		"| `tools` | list of strings | `[rake, hoe]` |  |\n",
		"| `plants[].kind` | string | **required** |  |\n",
		"| `pump.NAME.fuel` | string, such as `petrol` | **required** | With `driver: motor`.  |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
}
