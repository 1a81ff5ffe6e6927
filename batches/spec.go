package batches

import "time"

// Batch is a resolved and checked batch on one cluster: what a job runs.
// Every string is final: layers merged, variables replaced, H in cron turned
// into numbers. A text may still hold references of the form ${NAME} where
// the comment says so; they are for the run itself to fill in, and Words
// splits them.
type Batch struct {
	Name        string
	Owner       string // the team that answers for it
	Description string
	Schedule    *Schedule // nil: never by the clock
	Disabled    bool      // made in Jenkins, but not to be started
	Java        Java
	Artifact    Artifact
	Args        []string // arguments of the program; may hold ${NAME}
	Before      []Script // run in order before the program, on its node
	After       []Script // run in order after it, whatever its result
	Parameters  []Parameter
	Env         []Variable // sorted by name; values may hold ${NAME}
	Secrets     []Secret   // sorted by variable name
	Timeout     time.Duration
	Concurrency string // forbid, allow or replace
	Retry       Retry
	Upstream    []string // paths of the jobs this one runs after, sorted
	Node        Node
	Keep        Keep
}

// Schedule says when a job starts by the clock.
type Schedule struct {
	Cron     []string // five plain fields each; no H, no @alias
	Timezone string   // IANA name, such as Asia/Seoul
}

// Java is how the JVM of a batch is started.
type Java struct {
	Version    int        // feature release: 11, 17, 21 or 25
	Home       string     // directory of the JDK on the node; "" = the node's own for Version
	Heap       string     // maximum heap as -Xmx takes it ("4g"); "" = the JVM's default
	Options    []string   // one JVM option each, in order
	Properties []Variable // -Dname=value, sorted by name; values may hold ${NAME}
	Agents     []Agent    // sorted by name
	Main       string     // main class; "" = start Jar
	Jar        string     // jar to start, relative to the working directory; "" = the artifact
	Classpath  []string   // used with Main, relative to the working directory; empty = the artifact
}

// Agent is a Java agent that is loaded into the JVM.
type Agent struct {
	Name    string // pinpoint, prometheus and opentelemetry are known; others need Jar
	Jar     string // path on the node; "" = the place that the node's image has it
	Port    int    // port to listen on; 0 = none
	Config  string // path of the agent's configuration on the node; "" = the image's
	Options string // text behind the = of -javaagent; "" = made from Port and Config
}

// Artifact is the program: one file, fetched and checked before each run.
type Artifact struct {
	URL         string
	SHA256      string // 64 hexadecimal digits, lower case
	Unpack      bool   // a .tar.gz, .tgz or .zip to be unpacked into the working directory
	Credentials string // Jenkins credentials id (user name and password) for URL; "" = none
}

// Script is a piece of shell that runs around the program.
type Script struct {
	Name string
	Run  string // text for sh; runs with -eu, in the working directory
}

// Parameter is something that a person or a caller may set for one run.
type Parameter struct {
	Name        string
	Type        string // string, boolean, choice or text
	Default     string // "true" or "false" for boolean; one of Choices for choice
	Description string
	Choices     []string // for choice; the default stands first
}

// Variable is a name with a value.
type Variable struct{ Name, Value string }

// Secret is a Jenkins credential that a run gets in its environment.
type Secret struct {
	Name string // environment variable; for username-password the prefix of NAME_USR and NAME_PSW
	ID   string // Jenkins credentials id
	Type string // string, file or username-password
}

// Retry says how often a run is tried again, and for what.
type Retry struct {
	Attempts int      // all attempts together; 1 = no retry
	On       []string // node-lost
}

// Node is what the batch needs of its machine.
type Node struct {
	Pool          string
	CPU           int           // cores
	Memory        int64         // bytes
	Disk          int64         // bytes
	Arch          string        // amd64 or arm64
	HoldOnFailure time.Duration // how long the machine of a failed run is kept for a look; 0 = not
}

// Keep says what stays of a run.
type Keep struct {
	Builds int      // newest builds kept; 0 = no limit
	Days   int      // days that a build is kept; 0 = no limit
	Files  []string // globs of files that are archived with the build
}

// Job is one batch on one cluster: one Jenkins job.
type Job struct {
	Path    string // cluster/group/name
	Cluster string
	Phase   string
	Type    string
	Group   string
	Jenkins Jenkins
	Batch   *Batch
}

// Jenkins says where the jobs of a cluster live.
type Jenkins struct {
	Controller string // name of the controller
	Root       string // existing folder above the cluster's; "" = the top of the controller
}

// Folder is a folder of the job tree below the company's root folder.
type Folder struct {
	Path        string // cluster, or cluster/group
	Jenkins     Jenkins
	Description string
	Permissions []Permission // empty: nothing but what it inherits
}

// Permission is an entry of a folder's authorization matrix.
type Permission struct {
	Name  string   // the user's or group's name
	Group bool     // Name is a group
	Allow []string // Jenkins permissions such as Job/Read, sorted
}
