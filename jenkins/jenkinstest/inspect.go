package jenkinstest

import (
	"slices"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// A RunRecord is what happened to a run, also to one whose job is deleted.
type RunRecord struct {
	Ref         jenkins.Ref
	Life        int    // tells jobs of one name apart that were deleted and made again
	Building    bool   // also of a lost run
	Lost        bool   // by a crash
	Waiting     bool   // in the queue for a node
	Result      string // "" while it is building
	Description string
	Started     time.Time
	Ended       time.Time // zero while it is building
	Attempts    []Attempt
}

// An Attempt is one stay of a run on a node.
type Attempt struct {
	Node   string
	Start  time.Time
	End    time.Time // zero while it lasts
	Result string
	CutOff bool   // it ended while its node was lost to it, and not by its own work
	Cause  string // of CutOff: how the node was lost; the last way counts
}

// Runs returns the records of all runs there ever were, in the order of their
// start.
func (s *Server) Runs() []RunRecord {
	defer s.lock()()
	records := make([]RunRecord, len(s.runs))
	for i, r := range s.runs {
		records[i] = r.record()
	}
	return records
}

// Run returns the record of a run that is kept.
func (s *Server) Run(ref jenkins.Ref) (RunRecord, bool) {
	defer s.lock()()
	if r := s.run(ref); r != nil {
		return r.record(), true
	}
	return RunRecord{}, false
}

func (r *run) record() RunRecord {
	return RunRecord{
		Ref: r.ref, Life: r.job.life, Building: r.building, Lost: r.lost, Waiting: r.item != nil, Result: r.result,
		Description: r.text, Started: r.started, Ended: r.ended, Attempts: slices.Clone(r.attempts),
	}
}

// A NodeRecord is a node as it is.
type NodeRecord struct {
	Name, Description string
	Labels            []string // its own name is the last
	RemoteFS          string
	Env               map[string]string
	Made              time.Time
	Connected         bool        // an agent is connected, as far as Jenkins knows
	Offline           bool        // set offline by somebody
	Zombie            bool        // deleted under a run
	Running           jenkins.Ref // zero: idle
}

// Nodes returns the nodes that there are, sorted by name.
func (s *Server) Nodes() []NodeRecord {
	defer s.lock()()
	records := make([]NodeRecord, 0, len(s.names))
	for _, name := range s.names {
		c := s.computers[name]
		n := NodeRecord{
			Name: c.name, Description: c.description, Labels: c.labels, RemoteFS: c.remoteFS, Env: c.env,
			Made: c.made, Connected: c.connected, Offline: c.offline, Zombie: c.zombie,
		}
		if c.run != nil {
			n.Running = c.run.ref
		}
		records = append(records, n)
	}
	return records
}
