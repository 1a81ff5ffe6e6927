package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/nodes"
)

func TestWholeConfig(t *testing.T) {
	text, err := os.ReadFile("testdata/provisioner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, _, problems := parseConfig("/etc/p/provisioner.yaml", text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := Config{
		Owner: "payments-prod", Store: "postgres://provisioner@db.example/provisioner", StorePasswordFile: "/etc/p/secrets/db",
		Listen: "0.0.0.0:9780", TLS: &TLS{"/etc/p/tls/cert.pem", "/etc/p/tls/key.pem"}, MachinesURL: "https://provisioner.example:9780", KeyFile: "/etc/p/key",
		Tokens:  []Token{{"seed-job", "publish", "/etc/p/tokens/seed-job"}, {"on-call", "operate", "/etc/p/tokens/on-call"}},
		Catalog: "/etc/p/catalog.json", Log: Log{"debug", "text"}, Retention: 240 * time.Hour,
		Controllers: map[string]Controller{"live": {
			URL: "https://jenkins.example/ci", User: "provisioner", TokenFile: "/etc/p/tokens/jenkins", AgentURL: "https://jenkins-agents.example/ci",
			Every: 2 * time.Second, StopLostRuns: true,
		}},
		Clouds: map[string]Cloud{"here": {Driver: "local", Limit: 8, Every: 5 * time.Second, Calls: 2, Batch: 20, NAT: true, Local: &Local{
			Dir: "/etc/p/machines", Path: "/opt/java/bin:/usr/bin:/bin", Env: Env{"JAVA_HOME_21": "/opt/java"}, Cgroup: "/sys/fs/cgroup/provisioner", KeepLogs: 48 * time.Hour,
		}}, "aws-apne2": {Driver: "ec2", Every: 10 * time.Second, Calls: 4, EC2: &EC2{
			Region: "ap-northeast-2", Profile: "batches", AssumeRole: "arn:aws:iam::123456789012:role/provisioner", ExternalID: "payments", Endpoint: "https://ec2.example",
			Account: "123456789012", PriceFile: "/etc/p/prices.csv", CacheDir: "/etc/p/cache", IdentityCerts: []string{"/etc/p/aws.pem"},
			Places: map[string]EC2Place{"apne2-ab": {
				Subnets: []string{"subnet-0a", "subnet-0b"}, SecurityGroups: []string{"sg-0a"}, InstanceTypes: []string{"m7g.*", "m7i.xlarge"},
				Images:          map[string]EC2Image{"arm64": {Parameter: "/batch/image/arm64"}, "amd64": {Name: "batch-node-*", Owners: []string{"self"}}},
				InstanceProfile: "batch-node", KeyName: "on-call", PublicAddress: true, Market: "spot-then-on-demand", Reservations: []string{"cr-0a"},
				LaunchTemplate: &EC2Template{Name: "batch", Version: "7"}, RootDevice: "/dev/xvda", RootMin: 30 << 30, Tags: map[string]string{"team": "payments"},
			}},
		}}, "idc": {Driver: "openstack", Every: 10 * time.Second, Calls: 4, OpenStack: &OpenStack{
			AuthURL: "https://cloud.example:5000/v3", Region: "seoul", Interface: "internal", CAFile: "/etc/p/ca.pem", Credential: "abc", SecretFile: "/etc/p/secrets/idc",
			UserDomain: "Default", Timeout: 30 * time.Second, CallsPerSecond: 5.5, Settle: 3 * time.Minute,
			Places: map[string]OpenStackPlace{"idc-seoul": {
				Zones: []string{"az-1", "az-2"}, Flavors: []string{"m1.large"}, Image: "batch-node", Networks: []string{"batches"}, SecurityGroups: []string{"batches"},
				KeyName: "on-call", ServerGroup: "spread", BootFromVolume: true, VolumeType: "ssd", ConfigDrive: true, FloatingNetwork: "public", Prices: map[string]float64{"m1.large": 0.05},
			}},
		}}},
		Pools: map[string]Pool{"standard": {
			Places: []Place{{"here-1", "here"}, {"idc-seoul", "idc"}, {"apne2-ab", "aws-apne2"}}, Limit: 200, Lead: 3 * time.Minute,
			Spares: &Spares{Count: 2, CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "arm64"},
		}},
		Teams: map[string]int{"settlement-team": 20},
		Timing: Timing{
			Wait: 31 * time.Minute, Boot: 11 * time.Minute, Connect: 6 * time.Minute, Come: 11 * time.Minute, Lost: 7 * time.Minute, Missing: 2 * time.Minute,
			Settle: 7 * time.Minute, Patience: 6 * time.Minute, SpareAge: 2 * time.Hour, Orphan: 6 * time.Minute, Visible: 3 * time.Minute,
			Overrun: 11 * time.Minute, MaxLife: 73 * time.Hour, Repeat: 11 * time.Second, Machines: 4,
		},
		Bootstrap: Bootstrap{"batch", "/opt/java/bin/java", []string{"-Xmx128m"}, "/etc/ssl/ca.pem", "/opt/agent-cache"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const least = `owner: o
store: sqlite:state.db
key_file: key
controllers: {live: {url: "https://jenkins.example/", user: p, token_file: tok}}
clouds: {here: {driver: local, dir: machines}}
pools: {standard: {places: [{name: here-1, cloud: here}]}}
`

func TestConfigDefaults(t *testing.T) {
	c, _, problems := parseConfig("/p/c.yaml", []byte(least))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff(nodes.DefaultTiming(), nodes.Timing(c.Timing)); diff != "" {
		t.Errorf("the defaults of timing are not those of package nodes:\n%s", diff)
	}
	if c.MachinesURL != "http://127.0.0.1:8780" || c.Store != "sqlite:/p/state.db" || c.Controllers["live"].AgentURL != "https://jenkins.example/" || !c.Pools["standard"].Ahead {
		t.Errorf("%+v", c)
	}
}

// Every rule of the configuration, by what it says. Lines are added to the
// least configuration, or replace its first line with the same key.
func TestConfigProblems(t *testing.T) {
	for name, test := range map[string]struct{ add, want string }{
		"owner":             {`owner: Payments`, `c.yaml:1:8: owner: "Payments" is not of the form [a-z0-9][a-z0-9-]{0,39}`},
		"inline password":   {`store: postgres://p:hunter2@db/x`, `c.yaml:2:8: store: there is a password in the URL, and this file is no place for it`},
		"password option":   {`store: postgres://p@db/x?password=hunter2`, `c.yaml:2:8: store: there is a password in the URL, and this file is no place for it`},
		"odd password":      {`store: "postgres://p:hunter2%zz@db/x"`, `c.yaml:2:8: store: this postgres URL cannot be read`},
		"other store":       {`store: mysql://p:hunter2@db/x`, `c.yaml:2:8: store: it begins neither with sqlite: nor with postgres://`},
		"no path":           {`store: "sqlite:"`, `c.yaml:2:8: store: the URL has no path`},
		"password of none":  {`store_password_file: x`, `c.yaml:7:22: store_password_file: SQLite takes no password`},
		"password of whom":  {"store: postgres://db/x\nstore_password_file: x", `c.yaml:2:8: store: there is a password file, but no user in the URL`},
		"listen":            {`listen: here`, `c.yaml:7:9: listen: "here" is no address`},
		"port":              {`listen: "[::1]:65536"`, `c.yaml:7:9: listen: "[::1]:65536" is no address`},
		"for machines":      {`listen: ":8780"`, `c.yaml:1:1: machines_url: is missing, and listen ("") does not say how machines reach this host`},
		"plain http":        {`machines_url: http://p.example:8780`, `c.yaml:7:15: machines_url: machines get the secrets of their nodes from there, so it must be https unless the host is a loopback address`},
		"not http":          {`machines_url: ftp://p.example`, `c.yaml:7:15: machines_url: this is no http or https URL with a host`},
		"user in URL":       {`machines_url: https://u:hunter2@p.example`, `c.yaml:7:15: machines_url: the URL has a user, a query or a fragment in it`},
		"Jenkins URL":       {`controllers: {live: {url: "https://u:hunter2@j/", user: p, token_file: tok}}`, `c.yaml:4:27: controllers.live.url: the URL has a user, a query or a fragment in it`},
		"Jenkins user":      {`controllers: {live: {url: "https://j/", user: "p:hunter2", token_file: tok}}`, `c.yaml:4:47: controllers.live.user: `},
		"no controller":     {`controllers: {}`, `c.yaml:4:1: controllers: has 0 entries, and needs 1 at least`},
		"agent_url":         {`controllers: {live: {url: "https://j/", user: p, token_file: tok, agent_url: j}}`, `c.yaml:4:78: controllers.live.agent_url: this is no http or https URL with a host`},
		"same token name":   {`tokens: [{name: a, role: read, file: f}, {name: a, role: read, file: g}]`, `c.yaml:7:49: tokens[1].name: the name a is that of tokens[0] already, in line 7`},
		"role":              {`tokens: [{name: a, role: admin, file: f}]`, `c.yaml:7:26: tokens[0].role: "admin" is not one of read, operate, publish`},
		"unknown cloud":     {`pools: {standard: {places: [{name: here-1, cloud: her}]}}`, `c.yaml:6:51: pools.standard.places[0].cloud: there is no cloud her`},
		"same place":        {`pools: {a: {places: [{name: x, cloud: here}, {name: x, cloud: here}]}}`, `c.yaml:6:53: pools.a.places[1].name: the place x stands in this pool already (pools.a.places[0])`},
		"place in two":      {"clouds: {here: {driver: local, dir: a}, there: {driver: local, dir: b}}\npools: {a: {places: [{name: x, cloud: here}]}, b: {places: [{name: x, cloud: there}]}}", `c.yaml:6:68: pools.b.places[0].name: the place x is in the cloud here in line 6 (pools.a.places[0])`},
		"no place":          {`pools: {a: {places: []}}`, `c.yaml:6:13: pools.a.places: has 0 entries, and needs 1 at least`},
		"another's keys":    {`clouds: {here: {driver: ec2, dir: x, region: r-1, places: {here-1: {subnets: [subnet-1], images: {amd64: {id: ami-1}}}}}}`, `c.yaml:5:30: clouds.here.dir: unknown key`},
		"other driver":      {`clouds: {here: {driver: azure, dir: x}}`, `c.yaml:5:25: clouds.here.driver: "azure" is not one of local, ec2, openstack`},
		"place of no cloud": {`clouds: {here: {driver: openstack, auth_url: "http://k", places: {here-2: {image: i, networks: [n]}}}}`, `c.yaml:6:36: pools.standard.places[0].name: the cloud here has no place here-1`},
		"dir":               {`clouds: {here: {driver: local}}`, `c.yaml:5:10: clouds.here.dir: is missing`},
		"environment":       {`clouds: {here: {driver: local, dir: x, env: {PROVISIONER_X: y}}}`, `c.yaml:5:40: clouds.here.env: PROVISIONER_X cannot be set: the provisioner sets what begins with PROVISIONER_`},
		"no time":           {`timing: {boot: 0s}`, `c.yaml:7:16: timing.boot: 0s is out of range; the least is 1s`},
		"negative time":     {`retention: -5h`, `c.yaml:7:12: retention: -5h is out of range; the least is 1h`},
		"team":              {`teams: {a: -1}`, `c.yaml:7:12: teams.a: -1 is no number of machines`},
		"two spares in one": {`pools: {a: {places: [{name: x, cloud: here}], spares: {count: 1}}}`, `c.yaml:6:47: pools.a.spares.cpu: is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, problems := parseConfig("c.yaml", []byte(change(least, test.add)))
			if len(problems) == 0 || !strings.HasPrefix(problems.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", problems, test.want)
			}
			if strings.Contains(problems.Error(), "hunter2") {
				t.Error("a password is shown")
			}
		})
	}
}

// change puts lines into a configuration: each in the place of a line with
// the same key, or else at the end.
func change(text, lines string) string {
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
next:
	for line := range strings.SplitSeq(lines, "\n") {
		name, _, _ := strings.Cut(line, ":")
		for i := range all {
			if strings.HasPrefix(all[i], name+":") {
				all[i] = line
				continue next
			}
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n") + "\n"
}

// The files that a configuration names are there, safe and of use.
func TestConfigFiles(t *testing.T) {
	good := hex.EncodeToString([]byte("a token that is long enough"))
	for name, test := range map[string]struct {
		add   string
		files map[string]string // content; a leading ! makes them readable for all
		want  string
	}{
		"all well":       {"catalog: cat", map[string]string{"tok": good, "cat": "{}"}, ""},
		"no token":       {"", nil, "controllers.live.token_file: DIR/tok is not there"},
		"open to all":    {"", map[string]string{"tok": "!" + good}, "controllers.live.token_file: DIR/tok can be read or changed by others (mode 0644); run chmod 600 DIR/tok"},
		"empty":          {"", map[string]string{"tok": " \n"}, "controllers.live.token_file: DIR/tok is empty"},
		"a directory":    {"key_file: .", map[string]string{"tok": good}, "key_file: DIR is not a plain file"},
		"open key":       {"", map[string]string{"tok": good, "key": "!" + good}, "key_file: DIR/key can be read or changed by others"},
		"short key":      {"", map[string]string{"tok": good, "key": "short"}, "key_file: DIR/key holds 5 characters, and needs 32 at least"},
		"short token":    {"tokens: [{name: a, role: read, file: a}]", map[string]string{"tok": good, "a": "short"}, "tokens[0].file: DIR/a holds 5 characters, and needs 16 at least"},
		"same token":     {"tokens: [{name: a, role: read, file: a}, {name: b, role: operate, file: b}]", map[string]string{"tok": good, "a": good, "b": good}, "tokens[1].file: the token is the same as that of a"},
		"no catalog":     {"catalog: cat", map[string]string{"tok": good}, "catalog: DIR/cat is not there"},
		"no certificate": {"tls: {cert: c, key: k}", map[string]string{"tok": good, "k": "x"}, "tls.cert: DIR/c is not there"},
		"no real key":    {"tls: {cert: c, key: k}", map[string]string{"tok": good, "k": "x", "c": "x"}, "tls: certificate and key are of no use"},
		"no password":    {"store: postgres://p@db/x\nstore_password_file: pw", map[string]string{"tok": good}, "store_password_file: DIR/pw is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, test.files)
			path := filepath.Join(dir, "c.yaml")
			if err := os.WriteFile(path, []byte(change(least, test.add)), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			want := strings.ReplaceAll(test.want, "DIR", dir)
			switch {
			case err == nil && want != "":
				t.Error("no problem is found")
			case err != nil && (want == "" || !strings.Contains(err.Error(), ": "+want)):
				t.Errorf("got  %v\nwant %s", err, want)
			case err != nil && strings.Contains(err.Error(), good):
				t.Error("a secret is shown")
			}
		})
	}
	if _, err := Load("/nowhere/c.yaml"); err == nil || !strings.Contains(err.Error(), "/nowhere/c.yaml is not there\n    name another one with --config") {
		t.Error(err)
	}
}

// writeFiles writes files into a new directory, readable by this user alone
// unless their content begins with an exclamation mark.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		mode := os.FileMode(0o600)
		if rest, ok := strings.CutPrefix(text, "!"); ok {
			mode, text = 0o644, rest
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Editors are told of the whole configuration that it is right, and of the
// rest that it is not.
func TestConfigSchema(t *testing.T) {
	text, err := json.Marshal(strictyaml.JSONSchema(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("c.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("c.json")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("testdata/provisioner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for text, right := range map[string]bool{string(example): true, least: true, change(least, "ownr: x"): false, change(least, "clouds: {here: {driver: local, dirr: x}}"): false} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != right {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// The configurations that the documents show are ones that the provisioner
// takes, as far as they go.
func TestConfigsOfDocuments(t *testing.T) {
	shown := 0
	for _, name := range []string{"operations.md", "ec2.md", "openstack.md", "security.md", "node-image.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(part, "```")
			if !strings.Contains("\n"+block, "\nclouds:") {
				continue
			}
			shown++
			whole := map[string]any{}
			for _, from := range []string{least, block} {
				if err := yaml.Unmarshal([]byte(from), &whole); err != nil {
					t.Fatalf("%s, block %d: %v", name, i+1, err)
				}
			}
			merged, err := yaml.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, problems := parseConfig(name, merged); len(problems) > 0 {
				t.Errorf("%s, block %d: %v\n%s", name, i+1, problems, merged)
			}
		}
	}
	if shown < 5 {
		t.Errorf("only %d configurations were found", shown)
	}
}
