package batches

import "io/fs"

// Snapshot reads the files of a tree into memory. What works with the tree for
// a while, and loads it more than once, sees the same bytes all the time,
// whoever edits them. What cannot be read is left to the loading, which says so.
func Snapshot(fsys fs.FS) *Overlay {
	w := &walker{fsys: fsys, names: map[string][]string{}}
	w.walk()
	texts := make([][]byte, len(w.files))
	inParallel(len(w.files), func(i int) {
		texts[i], _ = fs.ReadFile(fsys, w.files[i].Path)
	})
	files := map[string][]byte{}
	for i, f := range w.files {
		if texts[i] != nil {
			files[f.Path] = texts[i]
		}
	}
	return NewOverlay(fsys, files, nil)
}
