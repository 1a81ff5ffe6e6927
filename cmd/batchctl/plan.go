package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

func (a *app) planCommand() *cobra.Command {
	var format string
	var exitWith bool
	var sel selection
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Compare the tree with a live Jenkins",
		Long: `Plan shows what the next run of the seed job will change in the Jenkins that
JENKINS_URL, JENKINS_USER and JENKINS_TOKEN name. It only reads.

  +  to create: in the tree, and not in Jenkins
  ~  to change: the tree has changed since the job was rendered
  !  drifted: somebody changed the job in Jenkins; the seed job puts it back
  #  blocked: something of another kind stands there, and the seed run ends at it
  -  to remove: rendered by batchctl, and not in the tree any more; Job DSL may
     have forgotten it, and then somebody has to remove it by hand
  x  retired: as before, but disabled; nothing happens to it
  *  unmanaged: in a folder of the tree, but not batchctl's; nothing happens to it
  ?  could not be read or compared in full

A folder's path ends with /. What ten jobs or more have alike stands there once, at
the top; -o json has each job.

What a job's config.xml says takes Job/ExtendedRead where that is switched on, else
Job/Configure; without, only description and disabled are compared.

With --exit-code it exits with 2 where anything is to be created, changed, put back
or removed, or is blocked, and with 1 where nothing is but something could not be seen.`,
		Example: `  JENKINS_URL=https://jenkins.example batchctl plan
  batchctl plan --cluster live-1 -o json --exit-code`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd.Context(), &sel, format, exitWith) },
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().BoolVar(&exitWith, "exit-code", false, "exit with 2 where there are differences")
	a.selectionFlags(cmd, &sel)
	return cmd
}

func (a *app) plan(ctx context.Context, sel *selection, format string, exitWith bool) error {
	client, err := jenkinsOfEnvironment(errors.New("nothing says where Jenkins is: set JENKINS_URL, JENKINS_USER and JENKINS_TOKEN"))
	if err != nil {
		return err
	}
	keepsAll()
	result, jobs, err := a.selected(sel)
	if err != nil {
		return err
	}
	if err := oneController(jobs); err != nil {
		return err
	}
	p := &planner{client: client, wanted: jobs, folders: foldersOf(result.Folders, jobs), progress: a.progressOn(a.stderr, "config.xml read")}
	if err := p.look(ctx, result, sel); err != nil {
		return err
	}
	report, err := p.report(ctx)
	if err != nil {
		return err
	}
	if format != "table" {
		err = a.writeData(format, report)
	} else {
		err = writePlan(a.stdout, report)
	}
	switch {
	case err != nil || !exitWith:
		return err
	case report.differs():
		return &exitCode{code: exitDiffers}
	case report.notSeen():
		return &exitCode{code: exitError}
	}
	return nil
}

// oneController refuses jobs of several controllers: a Jenkins is only one of
// them, and the others' jobs would all be to create.
func oneController(jobs []*batches.Job) error {
	var names []string
	for _, j := range jobs {
		if n := j.Jenkins.Controller; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) < 2 {
		return nil
	}
	slices.Sort(names)
	return usagef("the tree has jobs of the controllers %s; --controller says which of them JENKINS_URL is", strings.Join(names, ", "))
}
