package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/batchctl/batchctl/console/api"
)

// provisionerHelp stands in the help of each verb that asks a provisioner.
const provisionerHelp = `

The provisioner is the one of ` + api.EnvURL + `, and the token that of
` + api.EnvToken + ` or, in a file, of ` + api.EnvTokenFile + `.`

// provisioner returns a client of the provisioner that the environment names.
func (a *app) provisioner() (*api.Client, error) { return api.FromEnv(os.Getenv) }

// rows is a table that is aligned when it is printed.
type rows [][]string

func (r *rows) add(cells ...string) { *r = append(*r, cells) }

// print writes the table. A row of one cell is a title, and takes no part in
// the columns. On a terminal a line is cut to its width, so that one long
// reason does not hide the others.
func (a *app) print(r rows) error {
	var widths []int
	for _, cells := range r {
		for i := range cells {
			cells[i] = oneLine(cells[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(cells)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cells[i]))
			}
		}
	}
	width := terminalWidth(a.stdout)
	var out strings.Builder
	for _, cells := range r {
		var line strings.Builder
		for i, c := range cells {
			line.WriteString(c + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c))+2))
		}
		text := strings.TrimRight(line.String(), " ")
		if width > 0 {
			text = cut(text, width)
		}
		out.WriteString(text + "\n")
	}
	_, err := io.WriteString(a.stdout, out.String())
	return err
}

// terminalWidth returns the width of a terminal, and 0 for anything else.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 40 {
		return 0
	}
	return width
}

// span says how long something took, as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", max(0, d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// waitedText is how long a run has waited, where there is a run.
func waitedText(l *api.Lease) string {
	if l.Waited == nil {
		return "-"
	}
	return span(seconds(*l.Waited))
}

// instants are the times in reasons, which the provisioner writes in UTC.
var instants = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// inZone writes the times in a reason as the times beside it are written.
func inZone(reason string, zone *time.Location) string {
	return instants.ReplaceAllStringFunc(reason, func(text string) string {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text // a date that no calendar has is none
		}
		return t.In(zone).Format("2006-01-02 15:04:05")
	})
}

// runText names the run of a lease.
func runText(l *api.Lease) string {
	switch {
	case l.Spare:
		return "(spare)"
	case l.Attempt > 1:
		return fmt.Sprintf("%s (attempt %d)", l.Run, l.Attempt)
	}
	return l.Run
}

// orDash stands for what is not there.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
