package ec2

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
)

// instanceType is what has to be known of a type to choose it.
type instanceType struct {
	Name      string   `json:"name"`
	CPU       int      `json:"cpu"`
	Memory    int64    `json:"memory"` // bytes
	Archs     []string `json:"archs"`  // amd64, arm64
	NoSpot    bool     `json:"noSpot,omitempty"`
	OnlyNamed bool     `json:"onlyNamed,omitempty"` // is chosen only where the configuration names it
	Zones     []string `json:"zones"`               // where it is offered
}

// typeTable is the list of the region's types. Types come and go a few times
// a year, and the list takes EC2 a score of calls; so it is kept for a day, in
// memory and in a file.
type typeTable struct {
	dir, region string // dir: "": no file
	now         func() time.Time
	memo        memo[[]instanceType]
}

// typeFile is the form of the file.
type typeFile struct {
	Version int            `json:"version"`
	Region  string         `json:"region"`
	At      time.Time      `json:"at"`
	Types   []instanceType `json:"types"`
}

const (
	typesAge         = 24 * time.Hour
	typesFileVersion = 1
)

// get returns all types of the region.
func (t *typeTable) get(ctx context.Context, api *ec2.Client) ([]instanceType, error) {
	return t.memo.get(ctx, "", t.now(), typesAge, func(ctx context.Context) ([]instanceType, error) {
		old, fresh := t.load()
		if fresh {
			return old, nil
		}
		all, err := fetchTypes(ctx, api)
		if err != nil && len(old) > 0 && ctx.Err() == nil {
			return old, nil // better than none
		}
		if err == nil {
			t.save(all)
		}
		return all, err
	})
}

func (t *typeTable) file() string { return filepath.Join(t.dir, "ec2-types-"+t.region+".json") }

// load reads the file. A file that cannot be read, or is not of this form, is
// no file.
func (t *typeTable) load() (all []instanceType, fresh bool) {
	if t.dir == "" {
		return nil, false
	}
	text, err := os.ReadFile(t.file())
	var f typeFile
	if err != nil || json.Unmarshal(text, &f) != nil || f.Version != typesFileVersion || f.Region != t.region || len(f.Types) == 0 {
		return nil, false
	}
	age := t.now().Sub(f.At)
	return f.Types, age >= 0 && age < typesAge
}

// save writes the file, whole or not at all. Where it cannot be written the
// list is asked for again after the next start, and nothing else is lost.
func (t *typeTable) save(all []instanceType) {
	if t.dir == "" || os.MkdirAll(t.dir, 0o755) != nil {
		return
	}
	text, err := json.Marshal(typeFile{typesFileVersion, t.region, t.now().UTC(), all})
	if err != nil {
		return
	}
	f, err := os.CreateTemp(t.dir, ".ec2-types-*")
	if err != nil {
		return
	}
	_, err = f.Write(text)
	if err = cmp.Or(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), t.file())
	}
	if err != nil {
		_ = os.Remove(f.Name()) // a leftover is only untidy
	}
}

// fetchTypes asks EC2: for the types, and for the zones that have them.
func fetchTypes(ctx context.Context, api *ec2.Client) ([]instanceType, error) {
	zones := map[string][]string{}
	offerings := ec2.NewDescribeInstanceTypeOfferingsPaginator(api, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZone, MaxResults: new(int32(1000))})
	for offerings.HasMorePages() {
		page, err := offerings.NextPage(ctx)
		if err != nil {
			return nil, explain("DescribeInstanceTypeOfferings", err, nil)
		}
		for _, o := range page.InstanceTypeOfferings {
			zones[string(o.InstanceType)] = append(zones[string(o.InstanceType)], deref(o.Location))
		}
	}
	var all []instanceType
	pages := ec2.NewDescribeInstanceTypesPaginator(api, &ec2.DescribeInstanceTypesInput{MaxResults: new(int32(100))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("DescribeInstanceTypes", err, nil)
		}
		for i := range page.InstanceTypes {
			if t := typeOf(&page.InstanceTypes[i]); t.usable() {
				t.Zones = zones[t.Name]
				slices.Sort(t.Zones)
				all = append(all, t)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("EC2 DescribeInstanceTypes: the region has no types")
	}
	slices.SortFunc(all, func(a, b instanceType) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

var archOf = map[types.ArchitectureType]string{types.ArchitectureTypeX8664: "amd64", types.ArchitectureTypeArm64: "arm64"}

func typeOf(i *types.InstanceTypeInfo) instanceType {
	t := instanceType{Name: string(i.InstanceType)}
	if i.VCpuInfo != nil {
		t.CPU = int(deref(i.VCpuInfo.DefaultVCpus))
	}
	if i.MemoryInfo != nil {
		t.Memory = deref(i.MemoryInfo.SizeInMiB) << 20
	}
	if i.ProcessorInfo != nil {
		for _, a := range i.ProcessorInfo.SupportedArchitectures {
			if arch, ok := archOf[a]; ok {
				t.Archs = append(t.Archs, arch)
			}
		}
	}
	t.NoSpot = !slices.Contains(i.SupportedUsageClasses, types.UsageClassTypeSpot)
	t.OnlyNamed = !deref(i.CurrentGeneration) || deref(i.BareMetal) || deref(i.BurstablePerformanceSupported) ||
		i.GpuInfo != nil || i.FpgaInfo != nil || i.InferenceAcceleratorInfo != nil || i.NeuronInfo != nil || i.MediaAcceleratorInfo != nil
	return t
}

func (t *instanceType) usable() bool {
	return t.Name != "" && t.CPU > 0 && t.Memory > 0 && len(t.Archs) > 0
}

// fits reports whether a machine of the type can be what is needed, and
// whether a place with these names and patterns takes it.
func (t *instanceType) fits(need nodes.Need, names []string) bool {
	if t.CPU < need.CPU || t.Memory < need.Memory || !slices.Contains(t.Archs, need.Arch) {
		return false
	}
	if len(names) == 0 {
		return !t.OnlyNamed
	}
	return slices.ContainsFunc(names, func(n string) bool {
		ok, _ := path.Match(n, t.Name) // patterns were checked
		return ok
	})
}

// choose returns the types that fit, the cheapest first. Those without a
// price come after, the smallest first.
func choose(all []instanceType, need nodes.Need, names []string, prices map[string]price) []instanceType {
	var fit []instanceType
	for i := range all {
		if all[i].fits(need, names) {
			fit = append(fit, all[i])
		}
	}
	slices.SortFunc(fit, func(a, b instanceType) int {
		p, q := prices[a.Name].onDemand, prices[b.Name].onDemand
		if (p == 0) != (q == 0) {
			return cmp.Compare(q, p) // the one that is known
		}
		return cmp.Or(cmp.Compare(p, q), cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Memory, b.Memory), strings.Compare(a.Name, b.Name))
	})
	return fit
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
