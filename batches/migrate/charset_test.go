package migrate

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
)

// TestJVMKeepsTheCharset: where the locale of a job chooses its charset, it
// goes on to do so on Java 18 and later.
func TestJVMKeepsTheCharset(t *testing.T) {
	for name, c := range map[string]struct {
		from, to int
		spec     string // of the group
		want     string
	}{
		"a charset of its own":                  {11, 21, "env: {LANG: ko_KR.eucKR}", "COMPAT"},
		"from 17 on":                            {17, 21, "env: {LC_CTYPE: ja_JP.SJIS}", "COMPAT"},
		"and to 25":                             {11, 25, "env: {LC_ALL: C}", "COMPAT"},
		"the country's own, which is no UTF-8":  {11, 21, "env: {LANG: ko_KR}", "COMPAT"},
		"17 has the old rule itself":            {11, 17, "env: {LANG: ko_KR.eucKR}", ""},
		"21 has the new one already":            {21, 25, "env: {LANG: ko_KR.eucKR}", ""},
		"UTF-8":                                 {11, 21, "env: {LANG: ko_KR.UTF-8}", ""},
		"UTF-8, written otherwise":              {11, 21, "env: {LANG: ko_KR.utf8}", ""},
		"LC_ALL counts before LANG":             {11, 21, "env: {LC_ALL: C.UTF-8, LANG: ko_KR.eucKR}", ""},
		"an empty one does not count":           {11, 21, "env: {LC_ALL: \"\", LANG: ko_KR.eucKR}", "COMPAT"},
		"none: batchctl chooses UTF-8":          {11, 21, "env: {TZ: Asia/Seoul}", ""},
		"the program says which":                {11, 21, "env: {LANG: C}\n  java: {properties: {file.encoding: MS949}}", "MS949"},
		"the program says which, as an option":  {11, 21, "env: {LANG: C}\n  java: {options+: [-Dfile.encoding=MS949]}", ""},
		"by a variable":                         {11, 21, "env: {LANG: \"{{LOCALE:-ko_KR.eucKR}}\"}", "COMPAT"},
		"a null takes an inherited charset off": {11, 21, "env: {LANG: C}\n  java: {properties: {file.encoding: null}}", "COMPAT"},
	} {
		t.Run(name, func(t *testing.T) {
			base := fsOf(shop, "app-groups/pay.yaml", "spec:\n  "+c.spec+"\n", "app-types/batch.yaml", fmt.Sprintf("spec: {java: {version: %d}}\n", c.from))
			r := run(t, base, Step{Change: JVM{From: c.from, To: c.to}})
			for _, d := range documentsOf(t, r.overlay(base)) {
				want := ""
				if d.Group == "pay" {
					want = c.want
				}
				if got := d.Value("spec", "java", "properties", "file.encoding").Text(); got != want {
					t.Errorf("%s has the charset %q, want %q", d.Path, got, want)
				}
			}
			if noted := len(r.Notes) > 0; noted != (c.want == "COMPAT") {
				t.Errorf("the notes are %v", r.Notes)
			}
			if name == "a charset of its own" {
				if diff := cmp.Diff("app-groups/pay.yaml\n+  java:\n+    properties:\n+      file.encoding: COMPAT\napp-types/batch.yaml\n-spec: {java: {version: 11}}\n+spec: {java: {version: 21}}\n", lines(t, base, r)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func documentsOf(t *testing.T, tree fs.FS) []*batches.Document {
	t.Helper()
	docs, skipped := batches.Load(tree).Documents()
	if len(skipped) > 0 {
		t.Fatal(skipped)
	}
	return docs
}
