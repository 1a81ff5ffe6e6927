package main

import (
	"encoding/xml"
	"fmt"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

func (a *app) validateCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check every batch of the tree",
		Long: `Validate resolves every batch on every cluster and reports all problems, each
once, with the place, the way out, and how many jobs it touches.
Problems go to stderr; -o sarif and -o junit write a report for CI to stdout,
-o json and -o yaml every problem with all of its jobs.
It exits with 1 when there is an error; a warning alone is no error.`,
		Args: noArgs,
		Example: `  batchctl validate
  batchctl validate -o json | jq -r '.problems[] | select(.severity == "error") | .jobs[]'`,
		RunE: func(*cobra.Command, []string) error { return a.validate(format) },
	}
	outputFlag(cmd, &format, "text", "json", "yaml", "sarif", "junit")
	return cmd
}

func (a *app) validate(format string) error {
	tree, err := a.load()
	if err != nil {
		return err
	}
	result := tree.Resolve()
	if batches.Errors(result.Problems) == 0 {
		// What validate lets pass, render must be able to write.
		if _, err := renderFiles(result, result.Jobs(), func(string, []byte) error { return nil }); err != nil {
			return err
		}
	}
	switch format {
	case "json", "yaml":
		err = a.writeData(format, newValidation(result))
	case "sarif":
		err = a.writeSARIF(result.Problems)
	case "junit":
		err = a.writeJUnit(result.Problems)
	}
	if err != nil {
		return err
	}
	a.printProblems(result.Problems)
	fmt.Fprintln(a.stderr, a.summary(result))
	if batches.Errors(result.Problems) > 0 {
		return &exitCode{code: exitError}
	}
	return nil
}

// validation is a report as data.
type validation struct {
	Problems  []batches.Problem `json:"problems"`
	Errors    int               `json:"errors"`
	Warnings  int               `json:"warnings"`
	Documents int               `json:"documents"`
	Jobs      int               `json:"jobs"`
}

func newValidation(r *batches.Result) validation {
	errors := batches.Errors(r.Problems)
	problems := append([]batches.Problem{}, r.Problems...) // [] and not null for none
	return validation{problems, errors, len(problems) - errors, r.Leaves, r.Placed["Batch"]}
}

// writeSARIF writes the problems for code-scanning tools (SARIF 2.1.0).
func (a *app) writeSARIF(ps []batches.Problem) error {
	report := sarif.NewReport()
	run := sarif.NewRunWithInformationURI("batchctl", "https://github.com/batchctl/batchctl")
	for _, p := range ps {
		level := "error"
		if p.Severity == batches.Warning {
			level = "warning"
		}
		message := p.Text()
		if p.Hint != "" {
			message += ". " + p.Hint
		}
		run.AddRule(p.Rule)
		run.CreateResultForRule(p.Rule).WithLevel(level).WithMessage(sarif.NewTextMessage(message)).AddLocation(location(p.Place))
	}
	report.AddRun(run)
	return report.PrettyWrite(a.stdout)
}

func location(p batches.Place) *sarif.Location {
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(p.File)).
		WithRegion(sarif.NewRegion().WithStartLine(p.Line).WithStartColumn(p.Col))
	return sarif.NewLocationWithPhysicalLocation(physical)
}

// The parts of a JUnit report that Jenkins reads.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes one test case a problem; a warning is a case that passed.
func (a *app) writeJUnit(ps []batches.Problem) error {
	suite := junitSuite{Name: "batchctl validate"}
	for _, p := range ps {
		text := p.String() + "\n" + p.Hint + "\n" + touches(p)
		c := junitCase{Class: p.Place.File, Name: fmt.Sprintf("%s %s", p.Rule, p.Place)}
		if p.Severity == batches.Error {
			suite.Failures++
			c.Failure = &junitFailure{Message: p.Message, Type: p.Rule, Text: text}
		} else {
			c.Output = text
		}
		suite.Cases = append(suite.Cases, c)
	}
	if len(ps) == 0 {
		suite.Cases = []junitCase{{Class: "tree", Name: "valid"}}
	}
	suite.Tests = len(suite.Cases)
	out, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s%s\n", xml.Header, out)
	return err
}
