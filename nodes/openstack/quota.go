package openstack

import (
	"context"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/limits"
)

// usage is how much of one quota is in use.
type usage struct {
	what       string
	used, most int // most below 0: no limit
}

func (u *usage) full() bool { return u.most >= 0 && u.used >= u.most }

// quota returns the project's quotas of Nova that machines count against, and
// how many key pairs its user may have.
func (s *session) quota(ctx context.Context) (all []usage, keyPairs int, err error) {
	l, err := limits.Get(ctx, s.compute, nil).Extract()
	if err != nil {
		return nil, 0, classify(err)
	}
	if l == nil {
		return nil, 0, fmt.Errorf("the answer of Nova has no limits")
	}
	a := l.Absolute
	return []usage{
		{"servers", a.TotalInstancesUsed, a.MaxTotalInstances},
		{"cores", a.TotalCoresUsed, a.MaxTotalCores},
		{"MiB of memory", a.TotalRAMUsed, a.MaxTotalRAMSize},
	}, a.MaxTotalKeypairs, nil
}

// fullQuota says which quotas are full; "" where none is, or that is not known.
func (s *session) fullQuota(ctx context.Context) string {
	all, _, err := s.quota(ctx)
	if err != nil {
		return "" // the refusal itself says what is short
	}
	var full []string
	for _, u := range all {
		if u.full() {
			full = append(full, fmt.Sprintf("%d of %d %s", u.used, u.most, u.what))
		}
	}
	if len(full) == 0 {
		return ""
	}
	return fmt.Sprintf("the quota of project %s is full (%s): ", s.project, strings.Join(full, ", "))
}
