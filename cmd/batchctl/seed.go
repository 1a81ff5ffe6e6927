package main

import (
	"net/url"
	"os/exec"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/dsl"
)

func (a *app) seedCommand() *cobra.Command {
	var format string
	var o dsl.SeedOptions
	cmd := &cobra.Command{
		Use:   "seed",
		Short: "Print the seed job, which renders the tree in Jenkins and applies it",
		Long: `Seed prints the job that keeps Jenkins like the tree: as a Jenkinsfile to be
committed beside the tree, as job XML for an administrator to POST, or as
configuration for the Configuration as Code plugin. What it needs to run
without anybody approving scripts stands at the top of each; docs/seed-job.md
says how to set it up.

Repository, branch and directory of the tree come from git, where the tree is
in a clone.`,
		Example: `  batchctl seed --run-as seeder > Jenkinsfile
  batchctl seed --run-as seeder --name payments/seed -o xml`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.seed(format, o) },
	}
	outputFlag(cmd, &format, "jenkinsfile", "xml", "jcasc")
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "", "full name of the seed job (default: seed, in the tree's root folder)")
	f.StringVar(&o.RunAs, "run-as", "", "Jenkins user that the job runs as; not an administrator")
	f.StringVar(&o.Repository, "repository", "", "URL of the git repository (default: the clone's origin)")
	f.StringVar(&o.Branch, "branch", "", "its branch (default: main)")
	f.StringVar(&o.Credentials, "credentials", "", "Jenkins credentials id for the repository")
	f.StringVar(&o.Tree, "tree", "", "directory of the tree in the repository (default: where it is in the clone)")
	f.StringVar(&o.ScriptPath, "script", "", "path of the Jenkinsfile in the repository (default: Jenkinsfile)")
	f.StringVar(&o.NodeLabel, "label", "", "label of a node that has batchctl (default: any node)")
	f.StringSliceVar(&o.Clusters, "cluster", nil, "render these clusters only, where each controller has a seed job of its own")
	f.StringVar(&o.Removed, "removed", "disable", "what becomes of jobs that left the tree: disable or delete")
	f.StringVar(&o.Poll, "poll", "", "cron line for asking the repository for changes (default: H/5 * * * *)")
	f.StringVar(&o.ProvisionerURL, "provisioner", "", "URL that the catalog is sent to")
	f.StringVar(&o.ProvisionerToken, "provisioner-token", "", "Jenkins credentials id (secret text) of the token for it")
	return cmd
}

func (a *app) seed(format string, o dsl.SeedOptions) error {
	tree, err := a.load()
	if err != nil {
		return err
	}
	dir, err := a.treeDir()
	if err != nil {
		return err
	}
	if o.RunAs == "" {
		return usagef("seed needs --run-as, the Jenkins user that the job runs as")
	}
	for _, cluster := range o.Clusters {
		match := func(name string) bool { return doublestar.MatchUnvalidated(cluster, name) }
		if !slices.ContainsFunc(tree.Clusters(), match) {
			return usagef("--cluster %s: there is no such cluster; there are %s", cluster, strings.Join(tree.Clusters(), ", "))
		}
	}
	if o.Name == "" {
		o.Name = strings.TrimPrefix(tree.Root()+"/seed", "/")
	}
	if o.Repository == "" {
		if o.Repository = origin(dir); o.Repository == "" {
			return usagef("seed needs --repository, the URL of the git repository: the tree's directory is no clone with an origin, or its URL holds a password")
		}
	}
	if o.Tree == "" {
		o.Tree = strings.Trim(git(dir, "rev-parse", "--show-prefix"), "/")
	}
	writers := map[string]func(dsl.SeedOptions) (string, error){"jenkinsfile": dsl.SeedJenkinsfile, "xml": dsl.SeedXML, "jcasc": dsl.SeedJCasC}
	text, err := writers[format](o)
	if err != nil {
		return usagef("%w", err)
	}
	_, err = a.stdout.Write([]byte(text))
	return err
}

// origin returns the URL that a clone came from, unless it holds a password.
func origin(dir string) string {
	remote := git(dir, "remote", "get-url", "origin")
	if u, err := url.Parse(remote); err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret {
			return ""
		}
	}
	return remote
}

// git returns what a git command prints, or "" where it fails: it is asked
// for defaults only.
func git(dir string, args ...string) string {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
