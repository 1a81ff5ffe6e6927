package batches

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is a directory of the machine as a file system, like os.DirFS. Reading
// one of a tree's many small files takes three system calls with it: open,
// read, close. Nothing asks what kind of file it is, which the walk over the
// directories already knows.
type Dir string

var _ interface {
	fs.ReadDirFS
	fs.ReadLinkFS
	fs.StatFS
} = Dir("")

func (d Dir) fs() fs.FS { return os.DirFS(string(d)) }

// Open opens a file; see os.DirFS.
func (d Dir) Open(name string) (fs.File, error) { return d.fs().Open(name) }

// ReadDir lists a directory in the order of names.
func (d Dir) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.fs(), name) }

// Stat describes a file, the target of a symbolic link.
func (d Dir) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.fs(), name) }

// Lstat describes a file, a symbolic link itself.
func (d Dir) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(d.fs(), name) }

// ReadLink returns the target of a symbolic link.
func (d Dir) ReadLink(name string) (string, error) { return fs.ReadLink(d.fs(), name) }

func (d Dir) readFile(name string, into *bytes.Buffer) error {
	full := filepath.Join(string(d), filepath.FromSlash(name))
	var fd int
	err := again(func() (err error) {
		fd, err = syscall.Open(full, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	for into.Len() <= maxRolloutSize {
		into.Grow(4096)
		free := into.AvailableBuffer()
		free = free[:cap(free)]
		n := 0
		err := again(func() (err error) {
			n, err = syscall.Read(fd, free)
			return err
		})
		if err != nil {
			return &fs.PathError{Op: "read", Path: name, Err: err}
		}
		into.Write(free[:n])
		// A regular file is read short only at its end.
		if n < len(free) {
			break
		}
	}
	into.Truncate(min(into.Len(), maxRolloutSize+1))
	return nil
}

// again repeats a system call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
