package batches

// Config is the resolved configuration of one API server on one cluster. What
// stands in it is the server's business.
type Config struct {
	Path    string // cluster/group/name
	Cluster string
	Group   string
	Name    string
	doc     *value
}

var configKind = &leafKind{
	name:   "Config",
	doc:    "The configuration of an API server, free in form, resolved by batchctl config.",
	spec:   anyMap("Whatever the server reads."),
	finish: finishConfig,
	empty:  func(*fieldPath) bool { return true }, // it is written out
}

func finishConfig(_ *resolver, l *leaf) {
	spec := l.doc.get("spec")
	if spec == nil {
		return
	}
	conflicts(spec, newPath("spec"), &l.ps)
	l.made = &Config{Path: l.names.path, Cluster: l.names.cluster, Group: l.names.group, Name: l.names.app, doc: spec}
}

// Configs returns the configurations of a tree that have no error.
func (r *Result) Configs() []*Config { return madeOf[*Config](r) }
