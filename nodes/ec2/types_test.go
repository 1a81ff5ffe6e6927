package ec2

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// The list of types is kept on the disk for a day. A file that is damaged, old
// or of another region is asked for anew, and an old one is better than none.
func TestTypeFile(t *testing.T) {
	l := newLab(t)
	dir := filepath.Join(t.TempDir(), "made", "here")
	c := l.config("suite")
	c.CacheDir = dir
	asked := func() bool {
		t.Helper()
		since := len(l.Calls())
		if offers := l.offers(l.driver(c), usualNeed); len(offers) == 0 {
			t.Error("no offers")
		}
		return l.counts(since)["DescribeInstanceTypes"] > 0
	}
	if !asked() || asked() {
		t.Error("the first driver has to ask, and the second one not")
	}
	file := filepath.Join(dir, "ec2-types-"+region+".json")
	good := must(os.ReadFile(file))
	table := &typeTable{dir: dir, region: region, now: time.Now}
	all, fresh := table.load()
	if !fresh || len(all) < 500 {
		t.Errorf("%d types, fresh %v", len(all), fresh)
	}
	for name, text := range map[string]string{
		"empty": "", "half": string(good[:len(good)/2]), "not ours": "{}", "no types": `{"version":1,"region":"us-east-1"}`,
		"another version": strings.Replace(string(good), `"version":1`, `"version":2`, 1), "another region": strings.Replace(string(good), `"region":"us-east-1"`, `"region":"x"`, 1),
	} {
		l.no(os.WriteFile(file, []byte(text), 0o600))
		if all, fresh := table.load(); fresh || len(all) > 0 {
			t.Errorf("%s: the file is believed", name)
		}
	}
	if !asked() || asked() {
		t.Error("a file that is damaged has to be mended")
	}
	at := &clock{at: time.Now().Add(typesAge + time.Minute)}
	table.now = at.now
	if all, fresh := table.load(); fresh || len(all) == 0 {
		t.Errorf("after a day: %d types, fresh %v", len(all), fresh)
	}
	l.Fail(on("DescribeInstanceTypes", ec2test.Fault{Lose: true}))
	d := l.driver(c)
	d.now = at.now
	if len(l.offers(d, usualNeed)) == 0 {
		t.Error("EC2 cannot be asked, and yesterday's types are not used")
	}
	left := must(filepath.Glob(filepath.Join(dir, ".*")))
	if len(left) > 0 {
		t.Errorf("left in the directory: %v", left)
	}
}

// A directory that cannot be written only costs calls.
func TestTypeFileUnwritable(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.CacheDir = filepath.Join(t.TempDir(), "file", "below")
	l.no(os.WriteFile(filepath.Dir(c.CacheDir), nil, 0o600))
	if len(l.offers(l.driver(c), usualNeed)) == 0 {
		t.Error("no offers")
	}
}

func TestTypeOf(t *testing.T) {
	plain := func(change ...func(*types.InstanceTypeInfo)) instanceType {
		i := types.InstanceTypeInfo{
			InstanceType: "m7i.large", CurrentGeneration: new(true), BareMetal: new(false), BurstablePerformanceSupported: new(false),
			VCpuInfo: &types.VCpuInfo{DefaultVCpus: new(int32(2))}, MemoryInfo: &types.MemoryInfo{SizeInMiB: new(int64(8192))},
			ProcessorInfo:         &types.ProcessorInfo{SupportedArchitectures: []types.ArchitectureType{"i386", "x86_64"}},
			SupportedUsageClasses: []types.UsageClassType{"on-demand", "spot"},
		}
		for _, c := range change {
			c(&i)
		}
		return typeOf(&i)
	}
	want := instanceType{Name: "m7i.large", CPU: 2, Memory: 8 << 30, Archs: []string{"amd64"}}
	if diff := cmp.Diff(want, plain()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for name, change := range map[string]func(*types.InstanceTypeInfo){
		"old":       func(i *types.InstanceTypeInfo) { i.CurrentGeneration = new(false) },
		"metal":     func(i *types.InstanceTypeInfo) { i.BareMetal = new(true) },
		"burstable": func(i *types.InstanceTypeInfo) { i.BurstablePerformanceSupported = new(true) },
		"GPU":       func(i *types.InstanceTypeInfo) { i.GpuInfo = &types.GpuInfo{} },
		"FPGA":      func(i *types.InstanceTypeInfo) { i.FpgaInfo = &types.FpgaInfo{} },
		"neuron":    func(i *types.InstanceTypeInfo) { i.NeuronInfo = &types.NeuronInfo{} },
		"inference": func(i *types.InstanceTypeInfo) { i.InferenceAcceleratorInfo = &types.InferenceAcceleratorInfo{} },
		"media":     func(i *types.InstanceTypeInfo) { i.MediaAcceleratorInfo = &types.MediaAcceleratorInfo{} },
	} {
		if got := plain(change); !got.OnlyNamed {
			t.Errorf("a type that is %s is chosen without being named", name)
		}
	}
	if got := plain(func(i *types.InstanceTypeInfo) { i.SupportedUsageClasses = i.SupportedUsageClasses[:1] }); !got.NoSpot {
		t.Error("a type without spot is offered as spot")
	}
	mac := plain(func(i *types.InstanceTypeInfo) {
		i.ProcessorInfo.SupportedArchitectures = []types.ArchitectureType{"arm64_mac"}
	})
	if mac.usable() {
		t.Error("a Mac is used")
	}
	if got := typeOf(&types.InstanceTypeInfo{}); got.usable() {
		t.Error("a type of which nothing is known is used")
	}
}

// Who asks at the same time asks once, and who cannot wait goes away.
func TestMemo(t *testing.T) {
	var m memo[int]
	now := time.Now()
	asked := 0
	release := make(chan struct{})
	ask := func(context.Context) (int, error) {
		asked++
		<-release
		return 7, nil
	}
	var wg sync.WaitGroup
	got := make([]int, 10)
	for i := range got {
		wg.Go(func() { got[i], _ = m.get(background, "k", now, time.Minute, ask) })
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if _, err := m.get(ctx, "k", now, 0, func(context.Context) (int, error) { return 0, ctx.Err() }); err == nil {
		t.Error("a call that has ended gets an answer")
	}
	close(release)
	wg.Wait()
	if asked != 1 || slices.Min(got) != 7 {
		t.Errorf("asked %d times, got %v", asked, got)
	}
	gone := func(context.Context) (int, error) { return 0, configuration("it is not there") }
	if _, err := m.get(background, "k", now.Add(time.Hour), time.Minute, gone); err == nil {
		t.Error("that there is no such thing is not believed")
	}
	m.forget()
	if v, err := m.get(background, "k", now, time.Minute, func(context.Context) (int, error) { return 8, nil }); v != 8 || err != nil {
		t.Errorf("after it was forgotten: %d, %v", v, err)
	}
}
