package jenkinstest_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// Runs with crashes, restarts and faults end the same way each time.
func TestSimulation(t *testing.T) {
	first := simulate(t, 2000)
	if again := simulate(t, 2000); again != first {
		t.Error("the same seed gave another history")
	}
}

// 10,000 runs are to take seconds: 5 on two cores with little else to do.
func BenchmarkSimulation(b *testing.B) {
	for b.Loop() {
		simulate(b, 10_000)
	}
}

// simulate lets a much simplified provisioner give each run its node, and
// returns a digest of all that happened.
func simulate(t testing.TB, runs int) string {
	c, random := newClock(), rand.New(rand.NewPCG(1, 2))
	s := jenkinstest.New(c.Now)
	client := s.Client(jenkinstest.Admin)
	const jobs = 200
	for i := range jobs {
		s.PutJob(fmt.Sprintf("f%d/j%d", i%10, i), jenkinstest.JobSpec{Retries: 2, Duration: func(n, a int) time.Duration {
			return time.Duration(30+(i*7+n*13+a*5)%120) * time.Second
		}})
	}
	s.Fail(func(string, string) jenkinstest.Fault {
		if random.IntN(50) == 0 {
			return jenkinstest.Fault(1 + random.IntN(int(jenkinstest.Slow)))
		}
		return jenkinstest.NoFault
	})
	p := &provisioner{client: client, server: s, random: random}
	for started := 0; started < runs || p.live > 0; {
		for n := 0; n < 20 && started < runs; n++ {
			if s.Trigger(fmt.Sprintf("f%d/j%d", started%jobs%10, started%jobs)) != 0 {
				started++
			}
		}
		switch random.IntN(200) {
		case 0:
			s.Restart()
		case 1:
			s.Crash(func(jenkins.Ref) bool { return true })
		}
		p.tick(t)
		c.Add(5 * time.Second)
	}
	sum := sha256.New()
	for _, r := range s.Runs() {
		fmt.Fprintf(sum, "%+v\n", r)
	}
	if got := len(s.Runs()); got < runs*9/10 {
		t.Errorf("%d runs came of %d triggers", got, runs)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

type provisioner struct {
	client *jenkins.Client
	server *jenkinstest.Server
	random *rand.Rand
	made   int
	live   int // runs and nodes in sight
}

// tick makes a node for each run that waits, and deletes nodes that have had
// one.
func (p *provisioner) tick(t testing.TB) {
	ctx := context.Background()
	look, err := p.client.Look(ctx)
	if err != nil {
		var e *jenkins.Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		return
	}
	p.live = len(look.Queue) + len(look.Nodes) - 1
	have := map[string]bool{}
	for _, node := range look.Nodes[1:] {
		have[node.Description] = true
		if node.Idle && !node.Offline && p.random.IntN(4) == 0 || node.Offline && p.random.IntN(20) == 0 {
			p.client.DeleteNode(ctx, node.Name)
		}
		if p.random.IntN(500) == 0 {
			p.server.Disconnect(node.Name)
		}
	}
	for _, item := range look.Queue {
		if item.Ref.Number == 0 || have[item.Ref.String()] {
			continue
		}
		p.made++
		name := fmt.Sprintf("n-%d", p.made)
		spec := jenkins.NodeSpec{Name: name, Description: item.Ref.String(), Label: labelOf(item.Ref)}
		if p.client.CreateNode(ctx, spec) != nil {
			continue
		}
		if secret, err := p.client.Secret(ctx, name); err == nil {
			p.server.Connect(name, secret)
		}
	}
}

// labelOf is a JobSpec's default label.
func labelOf(ref jenkins.Ref) string {
	return fmt.Sprintf("%s-%s-%d", ref.Job[:2], ref.Job[3:], ref.Number)
}
