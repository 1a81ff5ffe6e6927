// Package gittree reads a directory as it is in a revision of its git
// repository, with git itself and without touching the work tree.
package gittree

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// Files are the files of a directory in one revision.
type Files struct {
	Commit string            // full hash
	Text   map[string][]byte // by slash-separated path below the directory
	Links  map[string]string // symbolic links and their targets
}

// Run runs git in a directory and returns what it prints, without the last
// line break. An error holds the first line that git had to say.
func Run(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := RunInput(ctx, dir, nil, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// RunInput is Run with an input, and the output as it is.
func RunInput(ctx context.Context, dir string, input io.Reader, args ...string) ([]byte, error) {
	return Index("").Run(ctx, dir, input, args...)
}

// Index is the file of an index that git is to use instead of the repository's;
// "" is the repository's own.
type Index string

// Run is RunInput with that index.
func (i Index) Run(ctx context.Context, dir string, input io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	if i != "" {
		cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+string(i))
	}
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		if line == "" {
			line = err.Error()
		}
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimPrefix(line, "fatal: "))
	}
	if err != nil {
		return nil, fmt.Errorf("git: %w", err)
	}
	return out.Bytes(), nil
}

// Upstream is the revision to compare with where none is named: the branch
// that the current one follows, or HEAD where it follows none.
func Upstream(ctx context.Context, dir string) string {
	if name, err := Run(ctx, dir, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"); err == nil {
		return name
	}
	return "HEAD"
}

// MergeBase is the commit at which HEAD and a revision parted.
func MergeBase(ctx context.Context, dir, rev string) (string, error) {
	if _, err := Run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
		return "", unknown(ctx, dir, rev)
	}
	base, err := Run(ctx, dir, "merge-base", "HEAD", rev)
	if err != nil {
		return "", fmt.Errorf("HEAD and %s have no commit in common%s", rev, shallow(ctx, dir))
	}
	return base, nil
}

// unknown is the error of a revision that cannot be found.
func unknown(ctx context.Context, dir, rev string) error {
	if _, err := Run(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return err // no repository, or no git
	}
	return fmt.Errorf("git knows no revision %s here%s", rev, shallow(ctx, dir))
}

// shallow is a hint where a clone has a part of the history only, as those of
// pipelines do.
func shallow(ctx context.Context, dir string) string {
	if is, err := Run(ctx, dir, "rev-parse", "--is-shallow-repository"); err != nil || is != "true" {
		return ""
	}
	return " (this clone is shallow; git fetch --unshallow brings the rest)"
}

// Open reads the files of a directory in a revision. Only names that keep
// approves are read; nil keeps all. Git's own files of the work tree, such as
// submodules, are left out.
func Open(ctx context.Context, dir, rev string, keep func(name string) bool) (*Files, error) {
	commit, err := Run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return nil, unknown(ctx, dir, rev)
	}
	list, err := RunInput(ctx, dir, nil, "ls-tree", "-r", "-z", commit)
	if err != nil {
		return nil, err
	}
	f := &Files{Commit: commit, Text: map[string][]byte{}, Links: map[string]string{}}
	var names, hashes []string
	links := map[string]bool{}
	for entry := range strings.SplitSeq(string(list), "\x00") {
		about, name, ok := strings.Cut(entry, "\t")
		words := strings.Fields(about)
		if !ok || len(words) != 3 || words[1] != "blob" || strings.HasPrefix(name, "../") {
			continue
		}
		links[name] = words[0] == "120000"
		if links[name] || keep == nil || keep(name) {
			names, hashes = append(names, path.Clean(name)), append(hashes, words[2])
		}
	}
	return f, f.read(ctx, dir, names, hashes, links)
}

// read fetches the texts, all from one git process.
func (f *Files) read(ctx context.Context, dir string, names, hashes []string, links map[string]bool) error {
	if len(names) == 0 {
		return nil
	}
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "cat-file", "--batch", "--buffer")
	cmd.Stdin = strings.NewReader(strings.Join(hashes, "\n") + "\n")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("git: %w", err)
	}
	r := bufio.NewReaderSize(out, 1<<16)
	for i, name := range names {
		text, err := blob(r)
		if err != nil {
			return errors.Join(fmt.Errorf("git cat-file: %s (%s): %w", name, hashes[i], err), cmd.Process.Kill(), cmd.Wait())
		}
		if links[name] {
			f.Links[name] = string(text)
		} else {
			f.Text[name] = text
		}
	}
	return cmd.Wait()
}

// blob reads one answer of cat-file: HASH blob SIZE, the bytes, a line break.
func blob(r *bufio.Reader) ([]byte, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	words := strings.Fields(head)
	if len(words) != 3 {
		return nil, errors.New(strings.TrimSpace(head))
	}
	size, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, err
	}
	text := make([]byte, size+1)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	return text[:size:size], nil
}
