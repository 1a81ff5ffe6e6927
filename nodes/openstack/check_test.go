package openstack

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

// Check warns of what will soon be short, and of a user that may do too much.
func TestCheckWarns(t *testing.T) {
	limits := func(servers, pairs int) string {
		return fmt.Sprintf(`{"limits": {"absolute": {"maxTotalInstances": 10, "totalInstancesUsed": %d, "maxTotalCores": -1, "maxTotalRAMSize": -1, "maxTotalKeypairs": %d}}}`, servers, pairs)
	}
	for name, test := range map[string]struct {
		prepare func(*fake)
		level   nodes.Level
		want    string
	}{
		"servers":      {func(f *fake) { f.answer("GET /compute/v2.1/limits", 200, limits(10, 100)) }, nodes.Warning, "quota: 10 of 10 servers in use"},
		"key pairs":    {func(f *fake) { f.answer("GET /compute/v2.1/limits", 200, limits(1, 19)) }, nodes.Warning, "the user has 0 of 19 key pairs"},
		"no quota":     {func(f *fake) { f.answer("GET /compute/v2.1/limits", 403, answers["policy"].body) }, nodes.Failure, "the quota cannot be read"},
		"no key pairs": {func(f *fake) { f.answer("GET /compute/v2.1/os-keypairs", 403, answers["policy"].body) }, nodes.Failure, "key pairs cannot be listed"},
		"no zones":     {func(f *fake) { f.answer("GET /compute/v2.1/os-availability-zone", 403, answers["policy"].body) }, nodes.Warning, "the zones cannot be listed"},
		"no flavours":  {func(f *fake) { f.answer("GET /compute/v2.1/flavors/detail", 500, "") }, nodes.Failure, "the flavours cannot be listed"},
		"too mighty":   {func(f *fake) { f.loginAs("admin") }, nodes.Warning, "the user is an administrator of the cloud"},
	} {
		f := newFake(t)
		f.answer("GET /compute/v2.1/limits", 200, limits(1, 100))
		f.answer("GET /compute/v2.1/os-availability-zone", 200, `{"availabilityZoneInfo": [{"zoneName": "az-1", "zoneState": {"available": true}}]}`)
		test.prepare(f)
		var found []string
		for _, finding := range f.driver().Check(context.Background(), need) {
			if finding.Level != nodes.Fine {
				found = append(found, string(finding.Level)+" "+finding.Text)
			}
		}
		if len(found) != 1 || !strings.HasPrefix(found[0], string(test.level)+" "+test.want) {
			t.Errorf("%s: %q, want %s %q", name, found, test.level, test.want)
		}
	}
}
