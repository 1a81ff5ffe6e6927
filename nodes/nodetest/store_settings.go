package nodetest

import (
	"slices"
	"testing"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

func testCatalog(t *testing.T, r Records) {
	if v, err := r.CatalogVersion(t.Context()); v != 0 || err != nil {
		t.Errorf("version %d, %v, before there is a catalog", v, err)
	}
	_, _, _, _, err := r.Catalog(t.Context())
	wantError(t, err, nodes.ErrNotFound, "no catalog")
	put := func(want int64, by string, second int, paths ...string) {
		t.Helper()
		if v, err := r.PutCatalog(t.Context(), newCatalog(paths...), by, after(second)); v != want || err != nil {
			t.Fatalf("version %d, %v, want %d", v, err, want)
		}
		if v, err := r.CatalogVersion(t.Context()); v != want || err != nil {
			t.Fatalf("version %d, %v, want %d", v, err, want)
		}
	}
	has := func(version int64, by string, second int, paths ...string) {
		t.Helper()
		c, v, at, who, err := r.Catalog(t.Context())
		if err != nil || v != version || who != by || at != after(second) {
			t.Errorf("catalog %d of %s at %v, %v; want %d of %s at %v", v, who, at, err, version, by, after(second))
		}
		wantEqual(t, c, newCatalog(paths...), "the catalog")
	}
	put(1, "", 0)
	has(1, "", 0)
	put(2, "kim", 1, "a/b/c")
	put(2, "lee", 2, "a/b/c") // the same again
	has(2, "kim", 1, "a/b/c")
	put(3, "이", 3, "a/b/c", "a/b/d")
	has(3, "이", 3, "a/b/c", "a/b/d")
	put(3, "이", 3, "a/b/d", "a/b/c") // the same in another order
	put(4, "kim", 4, "a/b/c")        // as it was once
	has(4, "kim", 4, "a/b/c")
	for i := range 30 {
		put(int64(5+i), "kim", 5+i, name("a/b/c", i))
	}
	has(34, "kim", 34, "a/b/c-029")
}

// newCatalog returns a catalog as Read gives it.
func newCatalog(paths ...string) catalog.Catalog {
	c := catalog.Catalog{Version: catalog.Version}
	for _, path := range paths {
		c.Jobs = append(c.Jobs, catalog.Job{Path: path, Token: catalog.Token(path), After: []string{"한글"}})
	}
	return c
}

func testCatalogRace(t *testing.T, r Records) {
	const n = 8
	var versions [n]int64
	together(n, func(i int) {
		var err error
		if versions[i], err = r.PutCatalog(t.Context(), newCatalog(name("a/b/c", i)), "", start); err != nil {
			t.Errorf("unexpected error: %v", err)
		}
	})
	slices.Sort(versions[:])
	wantEqual(t, versions, [n]int64{1, 2, 3, 4, 5, 6, 7, 8}, "versions")
}

func testCatalogRefuses(t *testing.T, r Records) {
	if _, err := r.PutCatalog(t.Context(), newCatalog("a/b/c", "a/b/c"), "", start); err == nil {
		t.Error("a catalog with one path twice was stored")
	}
	if v, err := r.CatalogVersion(t.Context()); v != 0 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
}

func testDrain(t *testing.T, r Records) {
	want := map[string]nodes.Drain{}
	has := func() {
		t.Helper()
		got, err := r.Drained(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, got, want, "drained pools")
	}
	drain := func(pool, by, reason string, second int) {
		t.Helper()
		if err := r.Drain(t.Context(), pool, by, reason, after(second)); err != nil {
			t.Fatal(err)
		}
	}
	resume := func(pool string) {
		t.Helper()
		if err := r.Resume(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	has()
	drain("standard", "kim", "new image", 1)
	drain("large", "kim\x00", "broken \xff", 2)
	want["standard"] = nodes.Drain{Pool: "standard", By: "kim", Reason: "new image", At: after(1)}
	want["large"] = nodes.Drain{Pool: "large", By: "kim\uFFFD", Reason: "broken \uFFFD", At: after(2)}
	has()
	drain("standard", "lee", "", 3) // the last word counts
	want["standard"] = nodes.Drain{Pool: "standard", By: "lee", At: after(3)}
	has()
	resume("standard")
	resume("standard") // is no error
	delete(want, "standard")
	has()
}
