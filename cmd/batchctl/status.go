package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/console/api"
)

// How much of each kind status shows: it is to fit on one screen.
const (
	mostWaits    = 10
	mostHeld     = 5
	mostFailures = 5
	failureAge   = 24 * time.Hour
)

func (a *app) statusCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show on one screen how the provisioner is doing",
		Long: `Status shows whether the provisioner is ready, its catalog and pools, which runs
wait and for what, which machines are held, and what failed in the last day.
It ends with exit code 1 when the provisioner is not ready.` + provisionerHelp,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd, format) },
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	return cmd
}

// status is what the verb shows.
type status struct {
	Provisioner string             `json:"provisioner"`
	Now         time.Time          `json:"now"` // by the provisioner's clock
	Readiness   api.Readiness      `json:"readiness"`
	Catalog     *api.CatalogInfo   `json:"catalog,omitempty"`
	Pools       []api.Pool         `json:"pools"`
	Dollars     map[string]float64 `json:"dollars_per_hour,omitempty"` // of the machines that are there, by pool, as far as prices are known
	Waiting     []api.Lease        `json:"waiting"`                    // oldest first
	Held        []api.Lease        `json:"held"`                       // those that end first, first
	Failures    []api.Lease        `json:"failures"`                   // newest first
}

func (a *app) status(cmd *cobra.Command, format string) error {
	c, err := a.provisioner()
	if err != nil {
		return err
	}
	s, err := readStatus(cmd, c)
	if err != nil {
		return err
	}
	if format != "table" {
		err = a.writeData(format, s)
	} else {
		err = a.printStatus(s)
	}
	if err == nil && !s.Readiness.Ready {
		return &exitCode{code: exitError}
	}
	return err
}

// readStatus asks for all that status shows.
func readStatus(cmd *cobra.Command, c *api.Client) (*status, error) {
	ctx := cmd.Context()
	s := &status{Provisioner: c.URL(), Waiting: []api.Lease{}, Held: []api.Lease{}, Failures: []api.Lease{}}
	var err error
	if s.Readiness, s.Now, err = c.Ready(ctx); err != nil {
		return nil, err
	}
	if s.Now.IsZero() {
		s.Now = time.Now()
	}
	info, err := c.Catalog(ctx, false)
	if refused, ok := errors.AsType[*api.Error](err); ok && refused.Status == http.StatusNotFound {
		err = nil // no catalog yet is a state, and no error
	} else {
		s.Catalog = &info
	}
	if err != nil {
		return nil, err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, err
	}
	s.Pools = pools.Pools
	leases, err := c.AllLeases(ctx, api.LeaseFilter{})
	if err != nil {
		return nil, err
	}
	runs, err := c.Runs(ctx, api.RunFilter{Limit: 500})
	if err != nil {
		return nil, err
	}
	s.sort(leases, runs.Runs)
	return s, nil
}

// sort picks what waits, what is held and what failed.
func (s *status) sort(leases, runs []api.Lease) {
	for _, l := range leases {
		if l.Machine != "" && l.Price > 0 {
			if s.Dollars == nil {
				s.Dollars = map[string]float64{}
			}
			s.Dollars[l.Pool] += l.Price
		}
		if l.Waited != nil && l.Began.IsZero() {
			s.Waiting = append(s.Waiting, l)
		}
		if l.HoldUntil.After(s.Now) {
			s.Held = append(s.Held, l)
		}
	}
	for _, l := range runs {
		if l.Failed() && s.Now.Sub(l.Since) < failureAge {
			s.Failures = append(s.Failures, l)
		}
	}
	slices.SortStableFunc(s.Waiting, func(a, b api.Lease) int { return a.Seen.Compare(b.Seen) })
	slices.SortStableFunc(s.Held, func(a, b api.Lease) int { return a.HoldUntil.Compare(b.HoldUntil) })
	slices.SortStableFunc(s.Failures, func(a, b api.Lease) int { return b.Since.Compare(a.Since) })
}

func (a *app) printStatus(s *status) error {
	var head rows
	ready := "ready"
	if !s.Readiness.Ready {
		ready = "NOT READY"
	}
	head.add("provisioner", s.Provisioner, ready)
	for _, c := range s.Readiness.Checks {
		if !c.OK {
			head.add("", c.Name, c.Reason)
		}
	}
	if s.Catalog == nil {
		head.add("catalog", "none yet", "batchctl catalog push FILE puts one")
	} else {
		head.add("catalog", catalogText(*s.Catalog), span(s.Now.Sub(s.Catalog.At))+" ago")
	}
	waits, held, failed := rows{}, rows{}, rows{}
	for i := range s.Waiting {
		l := &s.Waiting[i]
		waits.add(runText(l), waitedText(l), l.State, l.ID, inZone(l.Reason, time.Local))
	}
	for i := range s.Held {
		l := &s.Held[i]
		by := l.HeldBy
		if by == "" {
			by = "hold_on_failure"
		}
		held.add(runText(l), l.ID, orDash(l.Machine), "for another "+span(l.HoldUntil.Sub(s.Now)), by)
	}
	for i := range s.Failures {
		l := &s.Failures[i]
		failed.add(runText(l), span(s.Now.Sub(l.Since))+" ago", l.ID, inZone(l.Reason, time.Local))
	}
	for _, part := range []struct {
		title string
		table rows
		most  int
	}{
		{"", head, len(head)},
		{"pools", poolRows(s), len(s.Pools) + 1},
		{"waiting", waits, mostWaits},
		{"held", held, mostHeld},
		{"failed in the last day", failed, mostFailures},
	} {
		if err := a.printPart(part.title, part.table, part.most); err != nil {
			return err
		}
	}
	return nil
}

// printPart prints a part of the screen: that there is nothing in it is worth
// a line too.
func (a *app) printPart(title string, table rows, most int) error {
	if title != "" && len(table) == 0 {
		_, err := fmt.Fprintf(a.stdout, "\n%s: none\n", title)
		return err
	}
	if title != "" {
		fmt.Fprintf(a.stdout, "\n%s:\n", title)
	}
	rest := len(table) - most
	if err := a.print(table[:min(len(table), most)]); err != nil || rest <= 0 {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "and %d more\n", rest)
	return err
}

func poolRows(s *status) rows {
	var table rows
	priced := len(s.Dollars) > 0
	row := func(name, machines, dollars, spares, leases, note string) {
		if priced {
			table.add(name, machines, dollars, spares, leases, note)
		} else {
			table.add(name, machines, spares, leases, note)
		}
	}
	row("POOL", "MACHINES", "$ AN HOUR", "SPARES", "LEASES", "")
	for _, p := range s.Pools {
		machines := fmt.Sprintf("%d of %d", p.Machines, p.Limit)
		if p.Limit == 0 {
			machines = fmt.Sprint(p.Machines)
		}
		note := ""
		switch {
		case p.Drained != nil:
			note = fmt.Sprintf("drained %s ago by %s: %s", span(s.Now.Sub(p.Drained.At)), p.Drained.By, p.Drained.Reason)
		case !p.Configured:
			note = "not in the configuration any more"
		}
		row(p.Name, machines, fmt.Sprintf("%.2f", s.Dollars[p.Name]), fmt.Sprintf("%d of %d", p.SparesNow, p.Spares), orDash(statesText(p.States)), note)
	}
	return table
}

// statesText counts leases by state, in the order of a life.
func statesText(states map[string]int) string {
	var words []string
	for _, name := range []string{"wanted", "launching", "booting", "ready", "busy", "releasing"} {
		if n := states[name]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, name))
		}
	}
	return strings.Join(words, ", ")
}
