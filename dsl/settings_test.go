package dsl_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
)

// What a Pipeline was made of can be read out of it again, whatever people
// have written there.
func TestDeclareReadsThePipeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aZ09 \\\"'`$\n\t=:;-#!%END]),({}한😀")))
		value := func(name string) string { return strings.ReplaceAll(text.Draw(t, name), "${", "$ {") }
		j := settlement()
		b := j.Batch
		b.Java.Agents = nil
		b.Env = []batches.Variable{{Name: "A", Value: value("env")}, {Name: "RUN_DATE", Value: value("env of a parameter's name")}}
		b.Args = []string{value("arg"), "--date=${RUN_DATE}", value("arg")}
		b.Java.Options = []string{"-X" + value("option")}
		b.Java.Properties = []batches.Variable{{Name: "p", Value: value("property")}}
		b.Before[0].Run, b.After[0].Run = value("before"), value("after")
		b.Secrets = []batches.Secret{{Name: "S", ID: "id" + value("secret"), Type: "file"}, {Name: "T", ID: "t", Type: "username-password"}}
		b.Artifact.Credentials = "c" + value("credentials")
		b.Artifact.URL = "https://repo.example/" + strings.ReplaceAll(value("url"), "\n", "") + ".jar"
		got, err := dsl.Declare(j)
		if err != nil {
			t.Fatal(err)
		}
		one := strings.NewReplacer("\n", `\n`, "\t", "\t").Replace
		file := strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace // as the JVM's and curl's files have it
		arg := func(s string) string { return file(cmp.Or(s, `""`)) }
		script := func(s string) string { return one(strings.TrimSuffix(s, "\n")) }
		want := map[int]string{
			dsl.Timeout: "2h", dsl.Retry: "attempts 2", dsl.Files: "report/*.csv",
			dsl.Env:      "A=" + one(b.Env[0].Value) + "\nRUN_DATE=" + one(b.Env[1].Value),
			dsl.Args:     arg(b.Args[0]) + "\n--date=${RUN_DATE}\n" + arg(b.Args[2]),
			dsl.Java:     "version 21\nheap 4g\noptions " + file(b.Java.Options[0]) + "\nproperties p=" + file(b.Java.Properties[0].Value),
			dsl.Secrets:  "S file " + one(b.Secrets[0].ID) + "\nT username-password t",
			dsl.Artifact: "credentials " + one(b.Artifact.Credentials) + "\nurl " + file(b.Artifact.URL) + "\nsha256 " + b.Artifact.SHA256,
			dsl.Scripts:  "before warm-up: " + script(b.Before[0].Run) + "\nafter report: " + script(b.After[0].Run),
		}
		for field, text := range want {
			if diff := gocmp.Diff(text, got[field]); diff != "" {
				t.Errorf("%s (-declared +read):\n%s", dsl.DeclaredNames[field], diff)
			}
		}
		left := "node('b-7770c6e4889a2567-' + currentBuild.number) {\ncode = sh(returnStatus: true, encoding: 'UTF-8', label: 'daily-settlement', script: [\n"
		if diff := gocmp.Diff(left, dsl.LeftOver(got[dsl.Script])); diff != "" {
			t.Errorf("left over (-want +got):\n%s", diff)
		}
	})
}

// Other forms of the same fields.
func TestDeclareForms(t *testing.T) {
	for _, c := range []struct {
		field  int
		want   string
		change func(b *batches.Batch)
	}{
		{dsl.Timeout, "", func(b *batches.Batch) { b.Timeout = 0 }},
		{dsl.Timeout, "30m", func(b *batches.Batch) { b.Timeout = 30 * 60e9 }},
		{dsl.Timeout, "1h0m10s", func(b *batches.Batch) { b.Timeout = 3610e9 }},
		{dsl.Retry, "", func(b *batches.Batch) { b.Retry.Attempts = 1 }},
		{dsl.Java, "home /opt/my \"jdk\"\nversion 21\nagents -Dotel.service.name=daily-settlement\nagents -javaagent:/opt/agents/opentelemetry/opentelemetry-javaagent.jar\nclasspath lib/*:conf\nmain com.example.Main",
			func(b *batches.Batch) {
				b.Java = batches.Java{Version: 21, Home: `/opt/my "jdk"`, Main: "com.example.Main", Classpath: []string{"lib/*", "conf"}, Agents: []batches.Agent{{Name: "opentelemetry"}}}
			}},
		{dsl.Java, "version 21\njar lib/x.jar", func(b *batches.Batch) { b.Java = batches.Java{Version: 21, Jar: "lib/x.jar"} }},
		{dsl.Artifact, "url https://repo.example/x.zip\nunpack .batch/artifact.zip", func(b *batches.Batch) {
			b.Artifact = batches.Artifact{URL: "https://repo.example/x.zip", Unpack: true}
			b.Java.Jar = "x.jar"
		}},
		{dsl.Scripts, "", func(b *batches.Batch) { b.Before, b.After = nil, nil }},
		{dsl.Files, "", func(b *batches.Batch) { b.Keep.Files = nil }},
		{dsl.Env, "LANG=ko_KR.UTF-8", func(b *batches.Batch) { b.Env = []batches.Variable{{Name: "LANG", Value: "ko_KR.UTF-8"}} }},
		{dsl.Env, "PATH=/x:${PATH}", func(b *batches.Batch) { b.Env = []batches.Variable{{Name: "PATH", Value: "/x:${PATH}"}} }},
	} {
		j := settlement()
		c.change(j.Batch)
		d, err := dsl.Declare(j)
		if err != nil {
			t.Fatal(err)
		}
		if d[c.field] != c.want || strings.Count(dsl.LeftOver(d[dsl.Script]), "\n") != 2 {
			t.Errorf("%s: got %q, want %q; left over:\n%s", dsl.DeclaredNames[c.field], d[c.field], c.want, dsl.LeftOver(d[dsl.Script]))
		}
	}
}

// What somebody adds is left over, also where the program's surroundings and
// those of the after-scripts part.
func TestLeftOver(t *testing.T) {
	d, err := dsl.Declare(settlement())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new, field, left string
	}{
		{`set -eu\n`, `set -eu\nsleep 600\n`, "", "sleep 600\n"},
		{"bad = ''\ndef cut", "bad = ''\necho 'hello'\ndef cut", "", "echo 'hello'\n"},
		{`export RUN_DATE="${RUN_DATE-}"\n`, ``, "", "parameter RUN_DATE is not exported\n"},
		{"'RUN_DATE=' + params.RUN_DATE,", "'RUN_DATE=20260101',", "env", "'RUN_DATE=20260101',\n"},
		{`export TZ="Asia/Seoul"\nbatch_bad`, `export TZ="UTC"\nbatch_bad`, "env", ""},
		{`"-XX:+UseG1GC"\n`, ``, "java", ""},
	} {
		if !strings.Contains(d[dsl.Script], c.old) {
			t.Fatalf("no %s", c.old)
		}
		var edited dsl.Declared
		edited.SetScript(strings.Replace(d[dsl.Script], c.old, c.new, 1))
		differing := ""
		for i := dsl.Timeout; i < dsl.Script; i++ {
			if edited[i] != d[i] {
				differing += dsl.DeclaredNames[i]
			}
		}
		left := strings.TrimPrefix(dsl.LeftOver(edited[dsl.Script]), strings.SplitAfter(dsl.LeftOver(d[dsl.Script]), "\n")[0])
		if differing != c.field || !strings.Contains(left, c.left) || (c.left == "") != (dsl.LeftOver(edited[dsl.Script]) == dsl.LeftOver(d[dsl.Script])) {
			t.Errorf("%q → %q: differs in %q, left over %q", c.old, c.new, differing, left)
		}
	}
	// Nothing is too strange to be read.
	rapid.Check(t, func(t *rapid.T) {
		s := d[dsl.Script]
		a := rapid.IntRange(0, len(s)).Draw(t, "from")
		b := rapid.IntRange(a, len(s)).Draw(t, "to")
		var edited dsl.Declared
		edited.SetScript(s[:a] + rapid.SampledFrom([]string{"", "'", "\n", `\`, "]", `\u`, "END\n"}).Draw(t, "instead") + s[b:])
	})
}

// Differing names parts as the tree has them, and lists have their items.
func TestDiffering(t *testing.T) {
	for _, c := range []struct {
		field int
		a, b  string
		want  string
	}{
		{dsl.Java, "version 11\nheap 2g\noptions -Xa\noptions -Xb\nproperties p=1=2", "version 21\noptions -Xb\noptions -Xc\nproperties p=1",
			`[{java.version 11 21 false} {java.options -Xa|-Xb -Xb|-Xc true} {java.properties.p 1=2 1 false} {java.heap 2g  false}]`},
		{dsl.Java, "options a\noptions b", "options b\noptions a", `[{java.options a|b b|a true}]`},
		{dsl.Env, "A=1", "A=2\nB=3", `[{env.A 1 2 false} {env.B  3 false}]`},
		{dsl.Env, "A=1\nB=2", "B=2\nA=1", `[{env A=1|B=2 B=2|A=1 false}]`},
		{dsl.Args, "a\nb", "a", `[{args a|b a true}]`},
		{dsl.Scripts, "before x: a", "before x: b", `[{scripts.before x a b false}]`},
		{dsl.Parameters, `string D = "1"`, `string D = "2"`, `[{parameters.D string = "1" string = "2" false}]`},
		{dsl.Secrets, "S string a", "S file a", `[{secrets.S string a file a false}]`},
		{dsl.Timeout, "2h", "", `[{timeout 2h  false}]`},
		{dsl.Timeout, "2h", "2h", `[]`},
		{dsl.Description, "x\ny", "x\nz", `[{description x|y x|z false}]`},
	} {
		if got := strings.ReplaceAll(fmt.Sprint(dsl.Differing(c.field, c.a, c.b)), "\n", "|"); got != c.want {
			t.Errorf("%q → %q: got %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
