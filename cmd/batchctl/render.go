package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
)

func (a *app) renderCommand() *cobra.Command {
	var out string
	var check bool
	var sel selection
	cmd := &cobra.Command{
		Use:   "render --out DIR",
		Short: "Write the Job DSL and the catalog of the tree",
		Long: `Render validates the tree and writes folders.groovy, jobs_NNNN.groovy (500 jobs
a file at the most) and catalog.json. The same tree gives the same bytes.
DIR is render's own: it writes only what changed, removes what it wrote before
and no longer needs, and refuses a directory that holds anything else.
With an error in the tree nothing is written.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if out == "" {
				return usagef("render needs --out, the directory to write to")
			}
			if check {
				return a.checkRendered(out, &sel)
			}
			return a.render(out, &sel)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the directory to write to")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 2 when the directory differs")
	must(cmd.MarkFlagDirname("out"))
	a.selectionFlags(cmd, &sel)
	return cmd
}

func (a *app) render(path string, sel *selection) error {
	result, jobs, err := a.selected(sel)
	if err != nil {
		return err
	}
	dir, err := openOutDir(path)
	if err != nil {
		return err
	}
	defer dir.close()
	files, err := renderFiles(result, jobs, dir.stage)
	if err != nil {
		return err
	}
	changed, removed, err := dir.commit()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "%s: %s in %s; %d changed, %d removed\n", path, plural(len(jobs), "job"), plural(files, "file"), changed, removed)
	return nil
}

// checkRendered compares the directory with what render would write.
func (a *app) checkRendered(path string, sel *selection) error {
	result, jobs, err := a.selected(sel)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var names, differ []string
	_, err = renderFiles(result, jobs, func(name string, text []byte) error {
		differs := !same(filepath.Join(path, name), text)
		mu.Lock()
		defer mu.Unlock()
		names = append(names, name)
		if differs {
			differ = append(differ, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		if e.Name() != manifestName && !slices.Contains(names, e.Name()) {
			differ = append(differ, e.Name())
		}
	}
	if len(differ) == 0 {
		fmt.Fprintf(a.stderr, "%s is up to date\n", path)
		return nil
	}
	slices.Sort(differ)
	return &exitCode{code: exitUsage, err: fmt.Errorf("%s differs from the tree in %s; batchctl render --out %s brings it up to date", path, strings.Join(differ, ", "), path)}
}

// selected resolves the tree and returns the jobs that are asked for.
func (a *app) selected(sel *selection) (*batches.Result, []*batches.Job, error) {
	result, err := a.resolve()
	if err != nil {
		return nil, nil, err
	}
	jobs, err := sel.jobs(result.Jobs())
	return result, jobs, err
}

// renderFiles renders all files and hands each to put, which must bear calls
// from several goroutines. It returns the number of files.
func renderFiles(result *batches.Result, jobs []*batches.Job, put func(name string, text []byte) error) (int, error) {
	paths := make([]string, len(jobs))
	for i, j := range jobs {
		paths[i] = j.Path
	}
	shards := dsl.Shards(paths)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	g.Go(func() error {
		text, err := dsl.AppendFolders(nil, foldersOf(result.Folders, jobs))
		if err != nil {
			return err
		}
		return put("folders.groovy", text)
	})
	g.Go(func() error {
		var text bytes.Buffer
		if err := catalog.Write(&text, dsl.Catalog(jobs)); err != nil {
			return err
		}
		return put("catalog.json", text.Bytes())
	})
	// One buffer a core serves all shards: a shard takes megabytes.
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	for _, s := range shards {
		g.Go(func() error {
			buffer := buffers.Get().(*[]byte)
			defer buffers.Put(buffer)
			text := (*buffer)[:0]
			for _, i := range s.Jobs {
				var err error
				if text, err = dsl.AppendJob(text, jobs[i]); err != nil {
					return err
				}
			}
			*buffer = text
			return put(s.File, text)
		})
	}
	return len(shards) + 2, g.Wait()
}

// foldersOf keeps the folders that the jobs stand in.
func foldersOf(all []batches.Folder, jobs []*batches.Job) []batches.Folder {
	wanted := map[string]bool{}
	for _, j := range jobs {
		wanted[j.Cluster] = true
		wanted[j.Cluster+"/"+j.Group] = true
	}
	var out []batches.Folder
	for _, f := range all {
		if wanted[f.Path] {
			out = append(out, f)
		}
	}
	return out
}
