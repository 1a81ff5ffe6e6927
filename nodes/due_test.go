package nodes

import (
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
)

// TestNextDue compares due times with what Jenkins does: both day fields have
// to match, 0 and 7 are Sunday, an hour that a zone skips does not come, and
// one that it has twice comes twice.
func TestNextDue(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		name  string
		cron  []string
		zone  string
		after string
		want  string
	}{
		{"daily", []string{"15 2 * * *"}, "Asia/Seoul", "2026-11-22T12:00:00Z", "2026-11-22T17:15:00Z"},
		{"now is not after now", []string{"15 2 * * *"}, "Asia/Seoul", "2026-11-22T17:15:00Z", "2026-11-23T17:15:00Z"},
		{"Friday the 13th", []string{"0 9 13 * 5"}, "UTC", "2026-11-22T00:00:00Z", "2027-08-13T09:00:00Z"},
		{"Sunday is 0", []string{"0 9 * * 0"}, "UTC", "2026-11-23T00:00:00Z", "2026-11-29T09:00:00Z"},
		{"Sunday is 7", []string{"0 9 * * 7"}, "UTC", "2026-11-23T00:00:00Z", "2026-11-29T09:00:00Z"},
		{"Friday to Sunday", []string{"0 9 * * 5-7"}, "UTC", "2026-11-29T10:00:00Z", "2026-12-04T09:00:00Z"},
		{"each second weekday", []string{"0 9 * * 1-5/2"}, "UTC", "2026-11-23T10:00:00Z", "2026-11-25T09:00:00Z"},
		{"a list of weekdays", []string{"0 9 * * 1,4"}, "UTC", "2026-11-23T10:00:00Z", "2026-11-26T09:00:00Z"},
		{"the first of several lines", []string{"0 9 * * *", "30 3 * * *"}, "UTC", "2026-11-23T00:00:00Z", "2026-11-23T03:30:00Z"},
		{"a skipped hour does not come", []string{"30 2 * * *"}, "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
		{"an hour that comes twice", []string{"30 2 * * *"}, "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"never", []string{"0 0 30 2 *"}, "UTC", "2026-11-23T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		got, err := NextDue(&catalog.Schedule{Cron: c.cron, Timezone: c.zone}, at(c.after))
		if err != nil || !got.Equal(at(c.want)) {
			t.Errorf("%s: %s, %v; want %s", c.name, got.UTC().Format(time.RFC3339), err, c.want)
		}
	}
	for _, bad := range []catalog.Schedule{
		{Cron: []string{"15 2 * * *"}, Timezone: "Mars/Olympus"}, {Cron: []string{"15 2 * *"}, Timezone: "UTC"}, {Cron: []string{"15 2 * * 8"}, Timezone: "UTC"},
		{Cron: []string{"15 2 * * 3-1"}, Timezone: "UTC"}, {Cron: []string{"15 2 * * */0"}, Timezone: "UTC"}, {Cron: []string{"61 2 * * *"}, Timezone: "UTC"}, {Cron: []string{"@daily"}, Timezone: "UTC"},
	} {
		if got, err := NextDue(&bad, noon); err == nil {
			t.Errorf("%v in %s is due at %s", bad.Cron, bad.Timezone, got)
		}
	}
}
