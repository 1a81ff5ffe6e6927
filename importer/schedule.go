package importer

import (
	"cmp"
	"errors"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// timer reads the lines of a job's timer as Jenkins does: TZ= counts in the very
// first line only, and anywhere else it is a line that Jenkins does not take.
func (j *imported) timer() (zone string, lines []string) {
	n := 0
	for line := range strings.Lines(j.job.Cron) {
		n++
		line = strings.TrimSpace(line)
		name, isZone := strings.CutPrefix(line, "TZ=")
		switch {
		case n == 1 && isZone:
			zone = cmp.Or(javaZones[name], name)
		case line != "" && !strings.HasPrefix(line, "#"):
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return zone, lines
}

// timezone reports what there is to say of a schedule for all batches of a job.
func (j *imported) timezone(assumed string) {
	if zone, lines := j.timer(); zone == "" && len(lines) > 0 {
		j.finding("timezone", "its schedule names no time zone; it is taken for "+assumed+" (--timezone names that of the controller)", "")
	}
	for line := range strings.Lines(j.job.Cron) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok && strings.TrimSpace(comment) != "" {
			j.keep("comment", "comments of the script are kept as comments", "schedule: "+strings.TrimSpace(comment))
		}
	}
}

// schedule makes a schedule of the timer. One of which Jenkins does not take a
// line has started nothing so far: then the batch has none.
func (b *builder) schedule() {
	zone, lines := b.timer()
	if len(lines) == 0 {
		return
	}
	zone = cmp.Or(zone, b.maker.options.Timezone)
	err := batches.CheckValue(zone, "schedule", "timezone")
	var good []string
	for _, line := range lines {
		_, fault := batches.ParseCron(line, "")
		switch {
		case errors.Is(fault, batches.ErrNever):
			b.keep("refused", "a batch cannot hold a value of schedule", "kept: schedule: "+line+" ("+fault.Error()+")")
			continue
		case err == nil:
			err = fault
		}
		good = append(good, line)
	}
	switch {
	case err != nil:
		all := strings.Join(strings.Fields(strings.ReplaceAll(b.job.Cron, "\n", " | ")), " ")
		b.keep("no-schedule", "its timer has a line that Jenkins does not take, so most likely it never started a run; it has no schedule", "kept: schedule: "+all+" ("+err.Error()+")")
		return
	case len(good) == 0:
		return
	case len(good) == 1:
		b.set(text(good[0]), "schedule", "cron")
	default:
		b.set(b.texts(good), "schedule", "cron")
	}
	b.set(yamldoc.Text(zone), "schedule", "timezone")
}

// javaZones are the short names of time zones that Java, and so Jenkins, knows
// beyond the IANA database (java.time.ZoneId.SHORT_IDS).
var javaZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
	"BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
	"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia",
	"NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles",
	"SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}
