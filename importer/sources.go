package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/batchctl/batchctl/importer/jobxml"
)

// maxFolders bounds how deep folders may stand in each other.
const maxFolders = 32

// ReadDir finds the jobs below a directory: a JENKINS_HOME, its jobs
// directory, or any directory with a config.xml for each job or NAME.xml for
// each job. Symbolic links are not followed. It returns an error if it finds
// none.
func ReadDir(dir string) ([]Source, error) {
	top := dir
	if isDir(filepath.Join(dir, "jobs")) {
		top = filepath.Join(dir, "jobs") // the config.xml beside it is Jenkins' own
	}
	r := dirReader{}
	if err := r.children(top, "", 0); err != nil {
		return nil, err
	}
	if len(r.found) == 0 && isJob(dir) {
		return nil, fmt.Errorf("%s is the directory of one job; name the one above it", dir)
	}
	if len(r.found) == 0 {
		return nil, fmt.Errorf("%s holds no config.xml of a job; name JENKINS_HOME, its jobs directory, or a directory of NAME.xml", dir)
	}
	return r.found, nil
}

// dirReader collects what it finds.
type dirReader struct{ found []Source }

// children reads what stands in a folder.
func (r *dirReader) children(dir, name string, depth int) error {
	if depth > maxFolders {
		return fmt.Errorf("%s: folders stand more than %d deep", dir, maxFolders)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		full, inner := filepath.Join(dir, e.Name()), strings.TrimPrefix(name+"/"+e.Name(), "/")
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			r.link(full, inner)
		case strings.HasPrefix(e.Name(), ".") && !isJob(full):
		case e.IsDir():
			err = r.item(full, inner, depth+1)
		case e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".xml") && e.Name() != "config.xml":
			err = r.file(full, strings.TrimSuffix(inner, ".xml"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// item reads the directory of a job or a folder. A folder of Jenkins has its
// jobs in jobs; a plain directory has them beside each other.
func (r *dirReader) item(dir, name string, depth int) error {
	config := filepath.Join(dir, "config.xml")
	switch info, err := os.Lstat(config); {
	case isDir(filepath.Join(dir, "jobs")):
		return r.children(filepath.Join(dir, "jobs"), name, depth)
	case err == nil && info.Mode().IsRegular():
		return r.file(config, name)
	case err == nil && !info.IsDir():
		r.skip(config, name, "its config.xml is no plain file, and import follows no links")
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return r.children(dir, name, depth)
}

func (r *dirReader) file(path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// One byte more than may be there, so that a document that is too long
	// is refused, and not cut.
	text, err := io.ReadAll(io.LimitReader(f, jobxml.MaxSize+1))
	if err != nil {
		return err
	}
	r.found = append(r.found, Source{Name: name, From: path, XML: text})
	return nil
}

// link takes note of a symbolic link to what may be a job: it is not followed,
// and not forgotten either.
func (r *dirReader) link(path, name string) {
	if isJob(path) || strings.HasSuffix(name, ".xml") {
		r.skip(path, strings.TrimSuffix(name, ".xml"), "it is a symbolic link, and import follows none; name its target by --from")
	}
}

func (r *dirReader) skip(path, name, why string) {
	r.found = append(r.found, Source{Name: name, From: path, Skip: why})
}

// isJob reports whether a directory is a job's or a folder's.
func isJob(dir string) bool {
	_, config := os.Stat(filepath.Join(dir, "config.xml"))
	_, jobs := os.Stat(filepath.Join(dir, "jobs"))
	return config == nil || jobs == nil
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
