package batches

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// inParallel calls f with 0 to n-1 on all cores, and returns when all calls
// have. Each goroutine takes several at a time, so that neighbours in memory
// stay on one core.
func inParallel(n int, f func(i int)) {
	const stride = 16
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 1+n/stride) {
		wg.Go(func() {
			for {
				from := int(next.Add(stride)) - stride
				if from >= n {
					return
				}
				for i := from; i < min(from+stride, n); i++ {
					f(i)
				}
			}
		})
	}
	wg.Wait()
}

// read reads and parses a file.
func read(fsys fs.FS, f *File, ps *problems) *document {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if err := readFile(fsys, f.Path, buffer); err != nil {
		ps.inFile(f.Path, "unreadable", "cannot be read: "+reason(err), "")
		return &document{file: f}
	}
	return &document{file: f, root: parse(f, buffer.Bytes(), ps)}
}

// buffers hold the text of a file while it is parsed; nothing of it is kept.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readFile reads one byte more than a file may have, at most.
func readFile(fsys fs.FS, name string, into *bytes.Buffer) error {
	if quick, ok := fsys.(interface {
		readFile(name string, into *bytes.Buffer) error
	}); ok {
		return quick.readFile(name, into)
	}
	return openAndRead(fsys, name, into)
}

func openAndRead(fsys fs.FS, name string, into *bytes.Buffer) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = into.ReadFrom(io.LimitReader(f, maxRolloutSize+1))
	return err
}

// reason is an error without the path, which stands before the message.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// followLink follows a symbolic link step by step. It returns the path of what
// the link leads to, or says why it may not be followed. Only what is in the tree may go into jobs: what lies
// outside is not reviewed with it, and differs from machine to machine.
func followLink(fsys fs.FS, name string) (target, why string) {
	todo := strings.Split(name, "/")
	at := "."
	for links := 0; len(todo) > 0; {
		step := path.Join(at, todo[0])
		todo = todo[1:]
		if step == ".." || strings.HasPrefix(step, "../") {
			return "", "is a symbolic link that leaves the tree"
		}
		info, err := fs.Lstat(fsys, step)
		if err != nil {
			return "", "is a symbolic link to nothing: " + reason(err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = step
			continue
		}
		if links++; links > 40 {
			return "", "is a symbolic link that leads in a circle"
		}
		target, err := fs.ReadLink(fsys, step)
		if err != nil {
			return "", "is a symbolic link that cannot be read: " + reason(err)
		}
		if path.IsAbs(target) {
			return "", "is a symbolic link that leaves the tree (to " + target + ")"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at, ""
}
