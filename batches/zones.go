package batches

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:generate go run ./internal/genzones

// zoneText lists the names of the IANA time zone database, one a line,
// sorted. It is embedded because neither the machine that validates nor the
// one that renders need have the database.
//
//go:embed zones.txt
var zoneText string

var zones = sync.OnceValue(func() []string { return strings.Split(strings.TrimSpace(zoneText), "\n") })

// zoneNicknames are short names that people use and the database lacks, or
// that are near to another zone's name.
var zoneNicknames = map[string]string{
	"KST": "Asia/Seoul", "JST": "Asia/Tokyo", "SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "IST": "Asia/Kolkata",
	"PST": "America/Los_Angeles", "CST": "America/Chicago or Asia/Shanghai", "BST": "Europe/London", "CEST": "Europe/Berlin",
}

// checkZone returns an error for a name that is no IANA time zone.
func checkZone(name string) error {
	if _, ok := slices.BinarySearch(zones(), name); ok {
		return nil
	}
	if zone := zoneNicknames[name]; zone != "" {
		return fmt.Errorf("%q is no time zone of the IANA database; write %s", name, zone)
	}
	if near := nearest(name, slices.Values(zones())); near != "" {
		return fmt.Errorf("%q is no time zone; did you mean %s?", name, near)
	}
	return fmt.Errorf("%q is no time zone; write an IANA name such as Asia/Seoul or UTC", name)
}
