package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/catalog"
)

func TestLabel(t *testing.T) {
	token := catalog.Token("live-1/settlement/daily-settlement")
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(token) {
		t.Errorf("token %q is not 16 hexadecimal digits", token)
	}
	if got, want := catalog.Label(token, 123), "b-"+token+"-123"; got != want {
		t.Errorf("label %q, want %q", got, want)
	}
	// The token stands in names of nodes and labels that outlive an upgrade of
	// either program: it must never change by itself.
	if got, want := catalog.Token("a/b/c"), "d76a7b72669c9cec"; got != want {
		t.Errorf("token of a/b/c is %s, want %s as ever", got, want)
	}
}

func TestTokensOfManyJobsDiffer(t *testing.T) {
	seen := make(map[string]string)
	for cluster := range 10 {
		for group := range 100 {
			for batch := range 100 {
				path := fmt.Sprintf("live-%d/group-%d/batch-%d", cluster, group, batch)
				token := catalog.Token(path)
				if other, ok := seen[token]; ok {
					t.Fatalf("%s and %s have the token %s", path, other, token)
				}
				seen[token] = path
			}
		}
	}
}

func jobs(t *rapid.T) []catalog.Job {
	text := rapid.String()
	job := rapid.Custom(func(t *rapid.T) catalog.Job {
		j := catalog.Job{
			Path:       rapid.StringMatching(`[a-z]{1,3}/[a-z가-힣]{1,3}/[a-z]{1,3}`).Draw(t, "path"),
			Cluster:    text.Draw(t, "cluster"),
			Controller: text.Draw(t, "controller"),
			Folder:     text.Draw(t, "folder"),
			Node: catalog.Node{
				Pool: text.Draw(t, "pool"), CPU: rapid.Int().Draw(t, "cpu"), Memory: rapid.Int64().Draw(t, "memory"),
				Disk: rapid.Int64().Draw(t, "disk"), Arch: text.Draw(t, "arch"), HoldOnFailure: rapid.Int64().Draw(t, "hold"),
			},
			Timeout:     rapid.Int64().Draw(t, "timeout"),
			Concurrency: text.Draw(t, "concurrency"),
			Retry:       catalog.Retry{Attempts: rapid.Int().Draw(t, "attempts")},
			Owner:       text.Draw(t, "owner"),
			Disabled:    rapid.Bool().Draw(t, "disabled"),
		}
		j.Token = catalog.Token(j.Path)
		if rapid.Bool().Draw(t, "scheduled") {
			j.Schedule = &catalog.Schedule{Cron: rapid.SliceOfN(text, 1, 3).Draw(t, "cron"), Timezone: text.Draw(t, "zone")}
			j.After = rapid.SliceOfN(text, 1, 3).Draw(t, "after")
			j.Retry.On = rapid.SliceOfN(text, 1, 3).Draw(t, "on")
		}
		return j
	})
	return rapid.SliceOfNDistinct(job, 0, 8, func(j catalog.Job) string { return j.Path }).Draw(t, "jobs")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := catalog.Catalog{Version: catalog.Version, Jobs: jobs(t)}
		var first, second bytes.Buffer
		if err := catalog.Write(&first, want); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(want.Jobs)
		if err := catalog.Write(&second, want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("the order of the jobs changes the bytes:\n%s\n%s", &first, &second)
		}
		if got := bytes.Count(first.Bytes(), []byte("\n")); got != len(want.Jobs)+2 {
			t.Fatalf("%d lines for %d jobs:\n%s", got, len(want.Jobs), &first)
		}
		if !json.Valid(first.Bytes()) {
			t.Fatalf("not JSON:\n%s", &first)
		}
		got, err := catalog.Read(&first)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(want.Jobs, func(a, b catalog.Job) int { return strings.Compare(a.Path, b.Path) })
		if len(want.Jobs) == 0 {
			want.Jobs = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("read something else than was written (-want +got):\n%s", diff)
		}
	})
}

func TestReadRefuses(t *testing.T) {
	job := `{"path": "a/b/c", "token": "0123456789abcdef", "node": {}, "retry": {"attempts": 1}}`
	for _, c := range []struct{ name, text, want string }{
		{"nothing", ``, `line 1: it does not begin with {"version": 1`},
		{"no version", `{"jobs": []}`, `line 1: it does not begin with {"version": 1`},
		{"another version", "{\n\"version\": 2, \"tasks\": []}", `line 2: it has version 2, but this program reads version 1`},
		{"no jobs", `{"version": 1}`, `line 1: "jobs": [ has to follow`},
		{"another field", `{"version": 1, "jbos": []}`, `"jobs": [ has to follow`},
		{"a field more", "{\"version\": 1, \"jobs\": [\n" + job + "\n], \"more\": 1}", `line 3: behind the jobs: more stands where } has to`},
		{"unknown field of a job", "{\"version\": 1, \"jobs\": [\n" + job + ",\n{\"path\": \"x\", \"tiemout\": 1}]}", `line 3: jobs[1]: json: unknown field "tiemout"`},
		{"wrong type", "{\"version\": 1, \"jobs\": [\n{\"path\": 1}]}", `line 2: jobs[0]: json: cannot unmarshal number`},
		{"duplicate path", "{\"version\": 1, \"jobs\": [\n" + job + ",\n" + strings.Replace(job, "cdef", "cdee", 1) + "]}", `line 3: jobs[1]: the path a/b/c stands there twice`},
		{"duplicate token", "{\"version\": 1, \"jobs\": [\n" + job + ",\n" + strings.Replace(job, "a/b/c", "a/b/d", 1) + "]}", `line 3: jobs[1]: its token 0123456789abcdef is also that of a/b/c`},
		{"unsafe token", "{\"version\": 1, \"jobs\": [\n" + strings.Replace(job, "0123456789abcdef", "a b && c d", 1) + "]}", `line 2: jobs[0]: its token "a b && c d" is not 8 to 64 letters and digits`},
		{"no path", `{"version": 1, "jobs": [{}]}`, `jobs[0]: it has no path`},
		{"schedule without cron", `{"version": 1, "jobs": [` + strings.Replace(job, `"node"`, `"schedule": {"timezone": "UTC"}, "node"`, 1) + `]}`, `jobs[0]: its schedule has no cron line`},
		{"cut off", "{\"version\": 1, \"jobs\": [\n" + job, `line 2: behind the jobs: `},
		{"something behind", "{\"version\": 1, \"jobs\": [\n" + job + "]}\n{}", `line 3: something stands behind the catalog`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := catalog.Read(strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	a := catalog.Job{Path: "a/b/c", Token: catalog.Token("a/b/c")}
	b := catalog.Job{Path: "a/b/d", Token: a.Token}
	for _, c := range []struct {
		name string
		jobs []catalog.Job
		want string
	}{
		{"path twice", []catalog.Job{a, a}, "job a/b/c: the path a/b/c stands there twice"},
		{"token twice", []catalog.Job{b, a}, "job a/b/d: its token " + a.Token + " is also that of a/b/c"},
		{"no path", []catalog.Job{{Token: a.Token}}, "it has no path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := catalog.Write(&bytes.Buffer{}, catalog.Catalog{Jobs: c.jobs})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
