package nodes

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/batchctl/batchctl/catalog"
)

// NextDue returns when Jenkins starts a job by the clock next, after t. A
// minute that a time zone skips is not made up for, and one that it has twice
// counts twice, as in Jenkins, which compares each minute with the fields. It
// is the zero time where a schedule never comes.
func NextDue(s *catalog.Schedule, t time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone %s: %w", s.Timezone, err)
	}
	var first time.Time
	for _, line := range s.Cron {
		spec, err := parseCron(line)
		if err != nil {
			return time.Time{}, fmt.Errorf("cron %q: %w", line, err)
		}
		due := spec.Next(t.In(zone))
		if !due.IsZero() && (first.IsZero() || due.Before(first)) {
			first = due
		}
	}
	return first, nil
}

// everyDay marks a field of cron.SpecSchedule as a star. With it the library
// asks that both day fields match, as Jenkins does; without it, that one does.
const everyDay = 1 << 63

// parseCron parses a line of five fields as Jenkins reads it.
func parseCron(line string) (*cron.SpecSchedule, error) {
	fields := strings.Fields(line)
	if len(fields) != 5 {
		return nil, fmt.Errorf("%d fields, not 5", len(fields))
	}
	days, err := weekdays(fields[4])
	if err != nil {
		return nil, err
	}
	fields[4] = "*"
	schedule, err := cron.ParseStandard(strings.Join(fields, " "))
	if err != nil {
		return nil, err
	}
	spec, ok := schedule.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("it is no calendar")
	}
	spec.Dom |= everyDay
	spec.Dow = days | everyDay
	return spec, nil
}

// weekdays parses the fifth field, in which 0 and 7 are Sunday.
func weekdays(field string) (uint64, error) {
	var days uint64
	for part := range strings.SplitSeq(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return 0, fmt.Errorf("step %q of the day of the week", stepText)
			}
			step = n
		}
		first, last := 0, 6
		if span != "*" {
			from, to, isRange := strings.Cut(span, "-")
			if !isRange {
				to = from
			}
			var err1, err2 error
			first, err1 = strconv.Atoi(from)
			last, err2 = strconv.Atoi(to)
			if err1 != nil || err2 != nil || first < 0 || last > 7 || first > last {
				return 0, fmt.Errorf("day of the week %q", span)
			}
		}
		for day := first; day <= last; day += step {
			days |= 1 << (day % 7)
		}
	}
	return days, nil
}
