package dsl_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
)

func TestFolders(t *testing.T) {
	at := batches.Jenkins{Root: "pay'ments"}
	folders := []batches.Folder{
		{Path: "live-1", Jenkins: at, Description: "Live, in Seoul's first hall"},
		{Path: "live-1/settlement", Jenkins: at, Permissions: []batches.Permission{
			{Name: "d'ev", Allow: []string{"Job/Build", "Job/Read"}}, {Name: "운영", Group: true, Allow: []string{"Job/Read"}},
		}},
		{Path: "dev-1"},
	}
	text, err := dsl.AppendFolders(nil, folders)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "folders.golden", string(text))
	entry := func(kind, name string, allow ...any) call {
		return call{Name: kind, Calls: []call{{Name: "name", Args: []any{name}}, {Name: "permissions", Args: []any{allow}}}}
	}
	want := []call{
		{Name: "folder", Args: []any{"pay'ments/live-1"}, Calls: []call{{Name: "description", Args: []any{"Live, in Seoul's first hall"}}}},
		{Name: "folder", Args: []any{"pay'ments/live-1/settlement"}, Calls: []call{{Name: "properties", Calls: []call{{Name: "authorizationMatrix", Calls: []call{
			{Name: "entries", Calls: []call{entry("user", "d'ev", "Job/Build", "Job/Read"), entry("group", "운영", "Job/Read")}},
			{Name: "inheritanceStrategy", Calls: []call{{Name: "inheriting"}}},
		}}}}}},
		{Name: "folder", Args: []any{"dev-1"}},
	}
	got := evaluate[[]call](t, []task{{Kind: "dsl", Text: string(text)}})[0]
	empty := cmp.FilterValues(func(a, b []any) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
	none := cmp.FilterValues(func(a, b []call) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
	if diff := cmp.Diff(want, got, empty, none); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if _, err := dsl.AppendFolders(nil, []batches.Folder{{Jenkins: at}}); err == nil || !strings.Contains(err.Error(), "the root folder belongs to the company") {
		t.Errorf("error %v", err)
	}
}

func paths(n int) []string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf("live-%d/group-%d/batch-%d", i%6, i%50, i))
	}
	return paths
}

// contents returns the paths that each file holds, in order.
func contents(t testing.TB, paths []string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	n := 0
	for _, s := range dsl.Shards(paths) {
		if len(s.Jobs) == 0 || len(s.Jobs) > dsl.ShardSize || files[s.File] != "" || !regexp.MustCompile(`^jobs_[0-9a-f]{4}\.groovy$`).MatchString(s.File) {
			t.Fatalf("%s holds %d jobs", s.File, len(s.Jobs))
		}
		var list []string
		for _, i := range s.Jobs {
			list = append(list, paths[i])
		}
		if !slices.IsSorted(list) {
			t.Fatalf("%s is not sorted", s.File)
		}
		files[s.File] = strings.Join(list, "\n")
		n += len(list)
	}
	if n != len(paths) {
		t.Fatalf("the files hold %d of %d jobs", n, len(paths))
	}
	return files
}

func TestShards(t *testing.T) {
	for _, n := range []int{0, 1, 500, 501, 10_000} {
		all := paths(n)
		files := contents(t, all)
		slices.Reverse(all)
		if diff := cmp.Diff(files, contents(t, all)); diff != "" {
			t.Errorf("the order of the paths matters:\n%s", diff)
		}
		if most := n/200 + 1; len(files) > most {
			t.Errorf("%d jobs in %d files, want at most %d", n, len(files), most)
		}
	}
}

// A job that comes or goes touches the file that it is in, and where that is
// split or joined the one that holds the other half.
func TestShardsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := paths(rapid.IntRange(1, 3000).Draw(t, "jobs"))
		i := rapid.IntRange(0, len(all)-1).Draw(t, "job")
		with := contentsRapid(t, all)
		without := contentsRapid(t, slices.Delete(slices.Clone(all), i, i+1))
		var touched []string
		for file, text := range with {
			if without[file] != text {
				touched = append(touched, file)
			}
		}
		for file := range without {
			if with[file] == "" {
				t.Fatalf("a job less makes a file more: %s", file)
			}
		}
		if len(touched) > 1 && len(with) == len(without) || len(touched) > 2 {
			t.Fatalf("%s touches %v", all[i], touched)
		}
	})
}

func contentsRapid(t *rapid.T, paths []string) map[string]string {
	files := make(map[string]string)
	for _, s := range dsl.Shards(paths) {
		for _, i := range s.Jobs {
			files[s.File] += paths[i] + "\n"
		}
	}
	return files
}

func TestCatalog(t *testing.T) {
	j := settlement()
	j.Batch.Timeout += time.Millisecond
	want := catalog.Catalog{Version: 1, Jobs: []catalog.Job{{
		Path: "live-1/settlement/daily-settlement", Cluster: "live-1", Controller: "main", Folder: "payments/live-1/settlement", Token: catalog.Token("payments/live-1/settlement/daily-settlement"),
		Schedule: &catalog.Schedule{Cron: []string{"15 2 * * *"}, Timezone: "Asia/Seoul"},
		Node:     catalog.Node{Pool: "standard", CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64", HoldOnFailure: 1800},
		Timeout:  7201, Concurrency: "forbid", Retry: catalog.Retry{Attempts: 2, On: []string{"node-lost"}},
		After: []string{"live-1/capture/daily-capture"}, Owner: "settlement-team",
	}}}
	if diff := cmp.Diff(want, dsl.Catalog([]*batches.Job{j})); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
	// A tree with the same jobs under another root asks for machines of its own.
	other := settlement()
	other.Jenkins.Root = "payments-trial"
	both := dsl.Catalog([]*batches.Job{j, other})
	if both.Jobs[0].Token == both.Jobs[1].Token {
		t.Errorf("%s and %s have one token", both.Jobs[0].FullName(), both.Jobs[1].FullName())
	}
	for i, r := range evaluateJobs(t, render(t, j, other)) {
		label := catalog.Label(both.Jobs[i].Token, 7)
		if !slices.ContainsFunc(r.Events, func(e event) bool { return e.Step == "node" && e.Argument == label }) {
			t.Errorf("run 7 of %s does not ask for the label %s that the catalog says", both.Jobs[i].FullName(), label)
		}
	}
}
