package batches

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/testenv"
)

// schemaFor compiles the JSON Schema of one kind of file.
func schemaFor(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	raw, err := JSONSchema(kind)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertVocabs()
	if err := c.AddResource("batchctl.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("batchctl.json")
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return s
}

// kindOfFile says which schema a file of a tree goes by.
func kindOfFile(name string, doc any) string {
	switch dir := path.Dir(name); {
	case name == SettingsFile:
		return "settings"
	case name == "global.yaml":
		return "global"
	case strings.HasPrefix(dir, "apps/"):
		kind, _ := doc.(map[string]any)["kind"].(string)
		return strings.ToLower(kind)
	default:
		return layerDirs[dir].String()
	}
}

// Every file of a tree without errors is valid by its JSON Schema: an editor
// never underlines what batchctl accepts.
func TestJSONSchemaAccepts(t *testing.T) {
	trees := map[string]fs.FS{"base": testTree("")}
	for _, dir := range []string{"cmd/batchctl/newtree", "examples/payments"} {
		trees[dir] = os.DirFS(filepath.Join(testenv.Root(), dir))
	}
	schemas := map[string]*jsonschema.Schema{}
	for name, tree := range trees {
		checked := 0
		err := fs.WalkDir(tree, ".", func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(file, ".yaml") {
				return err
			}
			data, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			var doc any
			if err := yaml.Unmarshal(data, &doc); err != nil {
				return err
			}
			kind := kindOfFile(file, doc)
			if schemas[kind] == nil {
				schemas[kind] = schemaFor(t, kind)
			}
			checked++
			if err := schemas[kind].Validate(doc); err != nil {
				t.Errorf("%s: %s (%s): %v", name, file, kind, err)
			}
			return nil
		})
		if err != nil || checked < 4 {
			t.Errorf("%s: %d files checked, %v", name, checked, err)
		}
	}
}

// What is wrong with the shape of a file is wrong by its JSON Schema too.
func TestJSONSchemaRefuses(t *testing.T) {
	for _, test := range []struct{ kind, text string }{
		{"batch", "spec: {}"},
		{"batch", "{apiVersion: batchctl/v1, kind: Batch, metadata: {name: a}, spec: {tiemout: 2h}}"},
		{"batch", "{apiVersion: batchctl/v1, kind: Batch, metadata: {name: a}, spec: {java: {version: 18}}}"},
		{"batch", "{apiVersion: batchctl/v1, kind: Batch, metadata: {name: a}, spec: {timeout: 2 hours}}"},
		{"batch", "{apiVersion: batchctl/v1, kind: Batch, metadata: {name: a}, spec: {parameters: [{type: string}]}}"},
		{"batch", "{apiVersion: batchctl/v1, kind: Config, metadata: {name: a}}"},
		{"config", "{apiVersion: batchctl/v1, kind: Batch, metadata: {name: a}}"},
		{"cluster", "{description: no phase}"},
		{"phase", "{deploy: [live-1]}"},
		{"global", "{overrides: [{when: {clutser: a}, set: {}}]}"},
		{"settings", "{apiVersion: batchctl/v2}"},
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(test.text), &doc); err != nil {
			t.Fatal(err)
		}
		if err := schemaFor(t, test.kind).Validate(doc); err == nil {
			t.Errorf("%s: %s is valid", test.kind, test.text)
		}
	}
}

// References, removed keys and added lists are fine wherever they make sense.
func TestJSONSchemaLayers(t *testing.T) {
	text := `{spec: {java: {version: "{{JAVA}}", options+: [-Xss1m]}, schedule: null, retry: {attempts: "{{N}}"}, timeout: "{{T}}", node: {memory: "{{M}}Gi"}},
	  kinds: {Batch: {spec: {timeout: 1h}}, Config: {spec: {anything: {goes: [1]}}}}}`
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if err := schemaFor(t, "global").Validate(doc); err != nil {
		t.Error(err)
	}
	if _, err := JSONSchema("nothing"); err == nil {
		t.Error("there is a schema of nothing")
	}
}

// The reference has every field of the schema.
func TestReference(t *testing.T) {
	var b strings.Builder
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"`spec.java.agents.NAME.port`", "`spec.parameters[].choices`", "`overrides[].when.cluster`", "`jenkins.root`", "`permissions[].allow`"} {
		if !strings.Contains(b.String(), "| "+field+" |") {
			t.Errorf("the reference lacks %s", field)
		}
	}
}

// configOf resolves the one Config of a tree.
func configOf(t *testing.T, spec string) *Config {
	t.Helper()
	a := txtar.Parse([]byte("-- apps/g/api.yaml --\napiVersion: batchctl/v1\nkind: Config\nmetadata: {name: api}\ndeploy: [live-1]\nspec:\n" + spec))
	result := Load(treeFS(txtar.Parse([]byte(baseTree)), a)).Resolve()
	if cs := result.Configs(); len(cs) == 1 {
		return cs[0]
	}
	t.Fatal(describe(result.Problems))
	return nil
}

func TestConfigFormats(t *testing.T) {
	c := configOf(t, `
  server: {port: 8080, max-threads: 20, name: "it's {{cluster}}"}
  hosts: [a.example, b.example]
  datasource:
    url: jdbc:postgresql://db.example/pay?x=1#y
    "pool size": 10
  motd: "안녕\n\\ !"
  ratio: 0.5
  debug: false
  none: null
`)
	for format, want := range map[string]string{
		"env": `DATASOURCE_POOL_SIZE=10
DATASOURCE_URL='jdbc:postgresql://db.example/pay?x=1#y'
DEBUG=false
HOSTS_0=a.example
HOSTS_1=b.example
MOTD='안녕
\ !'
RATIO=0.5
SERVER_MAXTHREADS=20
SERVER_NAME='it'\''s live-1'
SERVER_PORT=8080
`,
		"properties": `datasource.pool\ size=10
datasource.url=jdbc:postgresql://db.example/pay?x=1#y
debug=false
hosts[0]=a.example
hosts[1]=b.example
motd=\uC548\uB155\n\\ !
ratio=0.5
server.max-threads=20
server.name=it's live-1
server.port=8080
`,
		"json": `{
  "datasource": {
    "pool size": 10,
    "url": "jdbc:postgresql://db.example/pay?x=1#y"
  },
  "debug": false,
  "hosts": [
    "a.example",
    "b.example"
  ],
  "motd": "안녕\n\\ !",
  "ratio": 0.5,
  "server": {
    "max-threads": 20,
    "name": "it's live-1",
    "port": 8080
  }
}
`,
		"yaml": `server:
    port: 8080
    max-threads: 20
    name: it's live-1
hosts:
    - a.example
    - b.example
datasource:
    url: jdbc:postgresql://db.example/pay?x=1#y
    pool size: 10
motd: |-
    안녕
    \ !
ratio: 0.5
debug: false
`,
	} {
		got, err := c.Format(format)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", format, err, got)
		}
	}
	if _, err := c.Format("toml"); err == nil {
		t.Error("toml is no format")
	}
}

// Two values that get one name are an error, not one lost value.
func TestConfigClash(t *testing.T) {
	_, err := configOf(t, "  a-b: 1\n  ab: 2\n").Format("env")
	want := "apps/g/api.yaml:7:7: ab: becomes AB, and so does the value in apps/g/api.yaml:6:8; rename one of them, or use json or yaml"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
