package openstack

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// Check warns of what will soon be short, and of a user that may do too much.
func TestCheckWarns(t *testing.T) {
	limits := func(servers, pairs int) string {
		return fmt.Sprintf(`{"limits": {"absolute": {"maxTotalInstances": 10, "totalInstancesUsed": %d, "maxTotalCores": -1, "maxTotalRAMSize": -1, "maxTotalKeypairs": %d}}}`, servers, pairs)
	}
	for name, test := range map[string]struct {
		prepare func(*fake)
		level   Level
		want    string
	}{
		"servers":      {func(f *fake) { f.answer("GET /compute/v2.1/limits", 200, limits(10, 100)) }, Warn, "quota: 10 of 10 servers in use"},
		"key pairs":    {func(f *fake) { f.answer("GET /compute/v2.1/limits", 200, limits(1, 19)) }, Warn, "the user has 0 of 19 key pairs"},
		"no quota":     {func(f *fake) { f.answer("GET /compute/v2.1/limits", 403, answers["policy"].body) }, Fail, "the quota cannot be read"},
		"no key pairs": {func(f *fake) { f.answer("GET /compute/v2.1/os-keypairs", 403, answers["policy"].body) }, Fail, "key pairs cannot be listed"},
		"no zones":     {func(f *fake) { f.answer("GET /compute/v2.1/os-availability-zone", 403, answers["policy"].body) }, Warn, "the zones cannot be listed"},
		"no flavours":  {func(f *fake) { f.answer("GET /compute/v2.1/flavors/detail", 500, "") }, Fail, "the flavours cannot be listed"},
		"too mighty":   {func(f *fake) { f.loginAs("admin") }, Warn, "the user is an administrator of the cloud"},
	} {
		f := newFake(t)
		f.answer("GET /compute/v2.1/limits", 200, limits(1, 100))
		f.answer("GET /compute/v2.1/os-availability-zone", 200, `{"availabilityZoneInfo": [{"zoneName": "az-1", "zoneState": {"available": true}}]}`)
		test.prepare(f)
		var found []string
		for _, finding := range f.driver().Check(context.Background()) {
			if finding.Level != OK {
				found = append(found, string(finding.Level)+" "+finding.Text)
			}
		}
		if len(found) != 1 || !strings.HasPrefix(found[0], string(test.level)+" "+test.want) {
			t.Errorf("%s: %q, want %s %q", name, found, test.level, test.want)
		}
	}
}
