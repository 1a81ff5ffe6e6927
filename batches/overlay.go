package batches

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Overlay is a file system with some files in memory: a tree as it would be
// with them, or one that was never on a disk.
type Overlay struct {
	base  fs.FS // may be nil
	files map[string][]byte
	links map[string]string
	dirs  map[string]map[string]bool // directory → names of what is in memory
}

// NewOverlay puts files over a base, which may be nil: paths with their text,
// or with nil to take a file of the base away. links are symbolic links and
// their targets, without a base only.
func NewOverlay(base fs.FS, files map[string][]byte, links map[string]string) *Overlay {
	o := &Overlay{base: base, files: files, links: links, dirs: map[string]map[string]bool{".": {}}}
	for name, text := range files {
		if text != nil {
			o.enter(name)
		}
	}
	for name := range links {
		o.enter(name)
	}
	return o
}

var _ interface {
	fs.ReadDirFS
	fs.ReadLinkFS
	fs.StatFS
} = (*Overlay)(nil)

func (o *Overlay) enter(name string) {
	for name != "." {
		dir := path.Dir(name)
		if o.dirs[dir] == nil {
			o.dirs[dir] = map[string]bool{}
		}
		o.dirs[dir][path.Base(name)] = true
		name = dir
	}
}

// follow replaces the symbolic links of a path.
func (o *Overlay) follow(name string) (string, error) {
	for range 40 {
		at, ok := o.firstLink(name)
		if !ok {
			return name, nil
		}
		name = path.Join(path.Dir(at), o.links[at], strings.TrimPrefix(name, at))
		if !fs.ValidPath(name) {
			break
		}
	}
	return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}

func (o *Overlay) firstLink(name string) (string, bool) {
	for i := 0; len(o.links) > 0 && i <= len(name); i++ {
		if i == len(name) || name[i] == '/' {
			if _, ok := o.links[name[:i]]; ok {
				return name[:i], true
			}
		}
	}
	return "", false
}

// Open opens a file.
func (o *Overlay) Open(name string) (fs.File, error) {
	name, err := o.follow(name)
	if err != nil {
		return nil, err
	}
	text, ours := o.files[name]
	switch {
	case text != nil:
		return &memoryFile{o.info(name), bytes.NewReader(text)}, nil
	case !ours && o.base != nil:
		return o.base.Open(name)
	case o.dirs[name] != nil:
		return &memoryFile{o.info(name), bytes.NewReader(nil)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (o *Overlay) readFile(name string, into *bytes.Buffer) error {
	text, ours := o.files[name]
	base, plain := o.base.(Dir)
	switch {
	case text != nil:
		into.Write(text[:min(len(text), maxRolloutSize+1)])
		return nil
	case !ours && plain:
		return base.readFile(name, into)
	}
	return openAndRead(o, name, into)
}

// ReadDir lists a directory in the order of names.
func (o *Overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	name, err := o.follow(name)
	if err != nil {
		return nil, err
	}
	var out []fs.DirEntry
	if o.base != nil {
		base, err := fs.ReadDir(o.base, name)
		if err != nil && (!errors.Is(err, fs.ErrNotExist) || o.dirs[name] == nil) {
			return nil, err
		}
		out = slices.DeleteFunc(base, func(e fs.DirEntry) bool {
			_, ours := o.files[path.Join(name, e.Name())]
			return ours || o.dirs[name][e.Name()]
		})
	} else if o.dirs[name] == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	for _, n := range slices.Sorted(maps.Keys(o.dirs[name])) {
		out = append(out, fs.FileInfoToDirEntry(o.info(path.Join(name, n))))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Stat describes a file, the target of a symbolic link.
func (o *Overlay) Stat(name string) (fs.FileInfo, error) {
	name, err := o.follow(name)
	if err != nil {
		return nil, err
	}
	info, err := o.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return info, err
	}
	target, why := followLink(o, name) // one of the base's
	if why != "" {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: errors.New(why)}
	}
	return o.Lstat(target)
}

// Lstat describes a file, a symbolic link itself.
func (o *Overlay) Lstat(name string) (fs.FileInfo, error) {
	dir, err := o.follow(path.Dir(name))
	if err != nil {
		return nil, err
	}
	name = path.Join(dir, path.Base(name))
	_, link := o.links[name]
	text, ours := o.files[name]
	switch {
	case link, text != nil:
		return o.info(name), nil
	case !ours && o.base != nil:
		if info, err := fs.Lstat(o.base, name); err == nil || o.dirs[name] == nil {
			return info, err
		}
	}
	if o.dirs[name] != nil {
		return o.info(name), nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadLink returns the target of a symbolic link.
func (o *Overlay) ReadLink(name string) (string, error) {
	if target, ok := o.links[name]; ok {
		return target, nil
	}
	if o.base != nil {
		return fs.ReadLink(o.base, name)
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
}

// memoryInfo describes what is in memory.
type memoryInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func (o *Overlay) info(name string) memoryInfo {
	i := memoryInfo{name: path.Base(name), size: int64(len(o.files[name])), mode: 0o644}
	if _, link := o.links[name]; link {
		i.mode = fs.ModeSymlink | 0o777
	} else if o.files[name] == nil {
		i.mode = fs.ModeDir | 0o755
	}
	return i
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return i.size }
func (i memoryInfo) Mode() fs.FileMode  { return i.mode }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memoryInfo) Sys() any           { return nil }

type memoryFile struct {
	about memoryInfo
	*bytes.Reader
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f.about, nil }
func (f *memoryFile) Close() error               { return nil }
