package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/importer"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jvm"
)

// importFlags are the flags of import.
type importFlags struct {
	from, out, format, checksums, folder string
	options                              importer.Options
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import --from DIR|URL --out DIR",
		Short: "Make a tree of the jobs of a Jenkins",
		Long: `Import makes a new tree of the jobs of a Jenkins: freestyle, Pipeline and
matrix jobs that start java in a shell step become batches, with their
schedules, parameters, credentials, upstreams, labels, time limits and what is
kept of their builds. The tree is flat: each batch says everything itself;
batchctl factor makes layers of it.

--from is a JENKINS_HOME, a directory of config.xml, or the URL of a Jenkins
(user and token in JENKINS_USER and JENKINS_TOKEN; reading a job's config.xml
takes Job/ExtendedRead where that is switched on, else Job/Configure).

What is not understood stays as a comment in the batch, and is in the report
on stdout. Jobs that no batch can be made of are kept whole in not-imported.
Nothing is run, and nothing in Jenkins is changed. docs/import.md shows the
whole way.`,
		Example: `  batchctl import --from /var/lib/jenkins --out payments
  batchctl import --from https://jenkins.example --folder live-1 --out payments -o json >report.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.importJobs(cmd.Context(), &f) },
	}
	outputFlag(cmd, &f.format, "table", "json", "yaml")
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "directory or URL to read from")
	flags.StringVar(&f.out, "out", "", "directory of the new tree")
	flags.StringVar(&f.folder, "folder", "", "with an URL: only jobs below this folder")
	flags.StringVar(&f.options.Cluster, "cluster", "", "cluster of all jobs (default: a job's top folder)")
	flags.StringToStringVar(&f.options.Phases, "phase", nil, "phase of a cluster, as `CLUSTER=PHASE` (default: the cluster's name without its number)")
	flags.StringVar(&f.options.Timezone, "timezone", "UTC", "time zone of schedules that name none: that of the controller")
	flags.IntVar(&f.options.Java, "java", 11, "Java release of jobs that do not say")
	flags.StringVar(&f.options.Repository, "repository", "", "URL that the jars will be fetched from (default: their old place on the node)")
	flags.StringVar(&f.checksums, "checksums", "", "file with the output of sha256sum for the jars")
	must(cmd.MarkFlagDirname("out"))
	return cmd
}

func (a *app) importJobs(ctx context.Context, f *importFlags) error {
	switch {
	case f.from == "":
		return usagef("import needs --from, a directory or the URL of a Jenkins")
	case f.out == "":
		return usagef("import needs --out, the directory of the new tree")
	case !jvm.Supported(f.options.Java):
		return usagef("--java %d: it takes 11, 17, 21 or 25", f.options.Java)
	}
	if err := checkImportNames(f); err != nil {
		return err
	}
	if err := emptyDir(f.out); err != nil {
		return err
	}
	var err error
	if f.options.Checksums, err = readChecksums(f.checksums); err != nil {
		return err
	}
	keepsAll()
	sources, err := a.sources(ctx, f)
	if err != nil {
		return err
	}
	result, err := importer.Import(sources, f.options)
	if err != nil {
		return err
	}
	files := make([]treeFile, len(result.Files))
	for i, file := range result.Files {
		files[i] = treeFile(file)
	}
	if err := writeNewDir(f.out, files); err != nil {
		return err
	}
	return a.importReport(f, result)
}

// sources reads the jobs from where --from says.
func (a *app) sources(ctx context.Context, f *importFlags) ([]importer.Source, error) {
	if !strings.HasPrefix(f.from, "http://") && !strings.HasPrefix(f.from, "https://") {
		if f.folder != "" {
			return nil, usagef("--folder is for an URL; with a directory, name the folder's own directory")
		}
		return importer.ReadDir(f.from)
	}
	client, err := jenkins.New(jenkins.Config{URL: f.from, User: os.Getenv("JENKINS_USER"), Token: os.Getenv("JENKINS_TOKEN")})
	if err != nil {
		return nil, err
	}
	names, err := client.JobNames(ctx, f.folder)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s shows no jobs to this user; JENKINS_USER and JENKINS_TOKEN name one that may read them", f.from)
	}
	sources := make([]importer.Source, len(names))
	progress := a.progressOn(a.stderr, "config.xml read")
	var mu sync.Mutex
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8) // more gain nothing, and people work on that Jenkins
	for i, name := range names {
		g.Go(func() error {
			text, err := client.JobConfig(ctx, name)
			switch {
			case errors.Is(err, jenkins.ErrForbidden):
				return fmt.Errorf("%w; give it that permission, or Job/ExtendedRead where that is switched on", err)
			case err == nil:
				sources[i] = importer.Source{Name: name, From: name, XML: text}
			case !errors.Is(err, jenkins.ErrNotFound): // else somebody has deleted it since the list
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(names))
			return nil
		})
	}
	err = g.Wait()
	return slices.DeleteFunc(sources, func(s importer.Source) bool { return s.Name == "" }), err
}

// readChecksums reads lines as sha256sum writes them: the sum, two blanks or
// a blank and a star, and the path.
func readChecksums(name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		sum, path, ok := strings.Cut(lines.Text(), " ")
		if path = strings.TrimLeft(path, " *"); !ok || len(sum) != 64 || path == "" {
			return nil, fmt.Errorf("%s:%d: is no line of sha256sum; it has 64 hexadecimal digits and a path", name, n)
		}
		sums[path] = sum
	}
	return sums, lines.Err()
}
