package importer

import (
	"cmp"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// cronLine is a line of a job's timer with its time zone, which is that of the
// last TZ= before it; "" = the controller's.
type cronLine struct{ zone, text string }

func (j *imported) cronLines() []cronLine {
	var out []cronLine
	zone := ""
	for line := range strings.Lines(j.job.Cron) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "TZ="):
			zone = strings.TrimSpace(strings.TrimPrefix(line, "TZ="))
			zone = cmp.Or(javaZones[zone], zone)
		default:
			out = append(out, cronLine{zone, strings.Join(strings.Fields(line), " ")})
		}
	}
	return out
}

// timezone reports what there is to say of a schedule for all batches of a job.
func (j *imported) timezone(assumed string) {
	for _, l := range j.cronLines() {
		if l.zone == "" {
			j.finding("timezone", "its schedule names no time zone; it is taken for "+assumed+" (--timezone names that of the controller)", "")
		}
	}
	for line := range strings.Lines(j.job.Cron) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok && strings.TrimSpace(comment) != "" {
			j.keep("comment", "comments of the script are kept as comments", "schedule: "+strings.TrimSpace(comment))
		}
	}
}

// schedule makes a schedule of the lines that a batch can hold. It has one time
// zone: that of the most lines. A line in another one is left out, as it would
// run at another time, and so is one in a zone that there is not.
func (b *builder) schedule() {
	byZone := map[string][]string{}
	var zones []string
	for _, l := range b.cronLines() {
		zone := cmp.Or(l.zone, b.maker.options.Timezone)
		err := batches.CheckValue(zone, "schedule", "timezone")
		if err == nil {
			err = batches.CheckValue(l.text, "schedule", "cron")
		}
		if err != nil {
			b.keep("refused", "a batch cannot hold a value of schedule", "kept: schedule: "+l.String()+" ("+err.Error()+")")
			continue
		}
		if byZone[zone] == nil {
			zones = append(zones, zone)
		}
		byZone[zone] = append(byZone[zone], l.text)
	}
	if len(zones) == 0 {
		return
	}
	best := zones[0]
	for _, zone := range zones[1:] {
		if len(byZone[zone]) > len(byZone[best]) {
			best = zone
		}
	}
	for _, zone := range zones {
		for _, line := range byZone[zone] {
			if zone != best {
				b.keep("timezones", "its schedule has several time zones, and a batch has one; what is in the others is left out: make a batch of its own for it", "kept: schedule: "+cronLine{zone, line}.String())
			}
		}
	}
	if lines := byZone[best]; len(lines) == 1 {
		b.set(text(lines[0]), "schedule", "cron")
	} else {
		b.set(b.texts(lines), "schedule", "cron")
	}
	b.set(yamldoc.Text(best), "schedule", "timezone")
}

func (l cronLine) String() string {
	if l.zone == "" {
		return l.text
	}
	return "TZ=" + l.zone + " " + l.text
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
