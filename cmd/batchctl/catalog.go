package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console/api"
)

func (a *app) catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Put the catalog that the provisioner works by, or show it",
		Long: `The catalog says which jobs there are and what their runs need; batchctl render
writes it. Runs of jobs that are not in it get no machine. The seed job puts it
by itself, and so these verbs are for looking and for repair.` + provisionerHelp,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.catalogPushCommand(), a.catalogShowCommand())
	return cmd
}

func (a *app) catalogPushCommand() *cobra.Command {
	var format string
	var force bool
	cmd := &cobra.Command{
		Use:   "push FILE",
		Short: "Put a catalog in force",
		Long: `Push puts a catalog in force; the token needs the role publish. One that is
empty, or has less than half of the jobs of the one in force, is refused: a
tree that was rendered for one cluster would take the machines of all others.
With --force it is taken.` + provisionerHelp,
		Example: `  batchctl render --out out && batchctl catalog push out/catalog.json`,
		Args:    needArgs(1, 1, "the catalog.json that batchctl render has written"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.catalogPush(cmd, args[0], force, format) },
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().BoolVar(&force, "force", false, "take it though it is empty or lost most jobs")
	return cmd
}

func (a *app) catalogPush(cmd *cobra.Command, file string, force bool, format string) error {
	c, err := a.provisioner()
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	put, changed, err := c.PutCatalog(cmd.Context(), f, force)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	case format != "table":
		return a.writeData(format, put)
	case !changed:
		fmt.Fprintf(a.stdout, "catalog %d is this one already: %s\n", put.Version, plural(put.Jobs, "job"))
		return nil
	}
	fmt.Fprintf(a.stdout, "catalog %d is in force: %s, %d added, %d removed, %d changed\n", put.Version, plural(put.Jobs, "job"), put.Added, put.Removed, put.Changed)
	return nil
}

func (a *app) catalogShowCommand() *cobra.Command {
	var format string
	var full bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show which catalog is in force",
		Long: `Show says which catalog is in force. With --full it prints the catalog itself,
as batchctl render has written it.` + provisionerHelp,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.catalogShow(cmd, full, format) },
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().BoolVar(&full, "full", false, "print the catalog itself")
	return cmd
}

func (a *app) catalogShow(cmd *cobra.Command, full bool, format string) error {
	c, err := a.provisioner()
	if err != nil {
		return err
	}
	info, err := c.Catalog(cmd.Context(), full)
	switch {
	case err != nil:
		return err
	case full && info.Catalog != nil:
		return catalog.Write(a.stdout, *info.Catalog)
	case format != "table":
		return a.writeData(format, info)
	}
	_, err = fmt.Fprintln(a.stdout, catalogText(info)+" at "+info.At.Local().Format("2006-01-02 15:04:05"))
	return err
}

// catalogText says which catalog it is.
func catalogText(info api.CatalogInfo) string {
	return fmt.Sprintf("version %d, %s, put by %s", info.Version, plural(info.Jobs, "job"), oneLine(strings.TrimSpace(orDash(info.By))))
}
