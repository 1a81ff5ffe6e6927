package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/nodes"
)

// Config is the provisioner's configuration, as Load returns it: complete,
// with defaults, and with paths that do not depend on the directory the
// provisioner is started in.
type Config struct {
	Owner             string                `yaml:"owner" doc:"Marks everything that is made. Machines and nodes with another owner are never touched; two provisioners that share a cloud need two owners." required:"true" pattern:"[a-z0-9][a-z0-9-]{0,39}" example:"payments-prod"`
	Store             string                `yaml:"store" doc:"Where leases are kept: sqlite:PATH or postgres://USER@HOST/DATABASE, the latter without a password." required:"true" example:"sqlite:/var/lib/provisioner/state.db"`
	StorePasswordFile string                `yaml:"store_password_file" doc:"File with the password of the PostgreSQL user. Without it PGPASSFILE and ~/.pgpass count."`
	Listen            string                `yaml:"listen" doc:"Address of the API, the metrics and the machines' bootstrap." default:"127.0.0.1:8780"`
	TLS               *TLS                  `yaml:"tls" doc:"Certificate for listen. Without it listen speaks plain HTTP."`
	MachinesURL       string                `yaml:"machines_url" doc:"Where machines reach listen; https, unless the host is a loopback address. Default: that of listen, where listen is a loopback address." example:"https://provisioner.example:8780"`
	KeyFile           string                `yaml:"key_file" doc:"Secret from which bootstrap tokens are made: 32 bytes or more, readable by the provisioner's user only. The first start makes it. All provisioners of one store have the same." required:"true" example:"/etc/provisioner/key"`
	Tokens            []Token               `yaml:"tokens" doc:"Who may call the API."`
	Catalog           string                `yaml:"catalog" doc:"catalog.json, read at start and when it changes. Without it the catalog is pushed to the API."`
	Log               Log                   `yaml:"log" doc:"What is logged, to stderr."`
	Retention         time.Duration         `yaml:"retention" doc:"How long leases that are gone are kept." default:"720h" min:"1h"`
	Controllers       map[string]Controller `yaml:"controllers" doc:"The Jenkins controllers, by the names that the catalog uses." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
	Clouds            map[string]Cloud      `yaml:"clouds" doc:"Where machines can be made." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
	Pools             map[string]Pool       `yaml:"pools" doc:"Ordered lists of places, by the names that batches use." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
	Teams             map[string]int        `yaml:"teams" doc:"How many machines a team may have at once; a team that is not named has no limit."`
	Timing            Timing                `yaml:"timing" doc:"Deadlines. The defaults fit Jenkins' own."`
	Bootstrap         Bootstrap             `yaml:"bootstrap" doc:"How a machine starts its agent."`
}

// TLS is the certificate of listen.
type TLS struct {
	Cert string `yaml:"cert" doc:"Certificate chain, in PEM." required:"true"`
	Key  string `yaml:"key" doc:"Its key, in PEM, readable by the provisioner's user only." required:"true"`
}

// Token is one caller of the API.
type Token struct {
	Name string `yaml:"name" doc:"Who calls; it stands in the log and in timelines." required:"true" pattern:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}" example:"seed-job"`
	Role string `yaml:"role" doc:"What the caller may do besides reading: nothing; drain, hold and release (operate); put the catalog (publish)." required:"true" enum:"read,operate,publish"`
	File string `yaml:"file" doc:"File with the token, 16 characters or more, readable by the provisioner's user only." required:"true"`
}

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level" doc:"The least that is logged." default:"info" enum:"debug,info,warn,error"`
	Format string `yaml:"format" doc:"Form of a line." default:"json" enum:"json,text"`
}

// Controller is one Jenkins.
type Controller struct {
	URL          string        `yaml:"url" doc:"Root of the controller, with its path prefix." required:"true" example:"https://jenkins.example/"`
	User         string        `yaml:"user" doc:"Jenkins user; provisioner check tells which permissions it needs." required:"true" example:"provisioner"`
	TokenFile    string        `yaml:"token_file" doc:"File with the user's API token, readable by the provisioner's user only." required:"true"`
	AgentURL     string        `yaml:"agent_url" doc:"Where machines reach the controller. Default: url."`
	Every        time.Duration `yaml:"every" doc:"Time between two looks at the controller." default:"1s" min:"100ms" max:"1m"`
	StopLostRuns bool          `yaml:"stop_lost_runs" doc:"Stop runs that Jenkins lost in a crash; they never end by themselves." default:"false"`
}

// Cloud is one account of one cloud. The settings of its driver stand beside
// the common ones in the file, and in a struct of their own here, of which
// only the one that Driver names is set.
type Cloud struct {
	Driver string        `yaml:"driver" doc:"What makes the machines." required:"true" enum:"local,ec2,openstack"`
	Limit  int           `yaml:"limit" doc:"Machines at once; 0: no limit." default:"0" min:"0"`
	Every  time.Duration `yaml:"every" doc:"Time between two lists of the machines." default:"10s" min:"100ms" max:"10m"`
	Calls  int           `yaml:"calls" doc:"Calls to the cloud at the same time." default:"4" min:"1" max:"100"`
	Batch  int           `yaml:"batch" doc:"Machines that are ordered in one call at most; they share a bootstrap token. 0: 100 in EC2, which takes few calls, else 10." default:"0" min:"0" max:"1000"`
	NAT    bool          `yaml:"nat" doc:"Machines call in through NAT, so that a call's address cannot be compared with the one that the cloud gave the machine." default:"false"`
	Local  *Local        `yaml:",inline" when:"driver=local"`
	EC2    *EC2          `yaml:",inline" when:"driver=ec2"`

	OpenStack *OpenStack `yaml:",inline" when:"driver=openstack"`
}

// Local is what the driver local needs: machines that are processes of the
// provisioner's own host.
type Local struct {
	Dir      string        `yaml:"dir" doc:"Holds the machines' state and homes." required:"true" example:"/var/lib/provisioner/machines"`
	Path     string        `yaml:"path" doc:"PATH of the machines." default:"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`
	Env      Env           `yaml:"env" doc:"More environment for the machines, such as JAVA_HOME_21; no secrets."`
	Cgroup   string        `yaml:"cgroup" doc:"A cgroup v2 of the provisioner's own, which keeps machines within their size. Without it machines share the host without limits."`
	KeepLogs time.Duration `yaml:"keep_logs" doc:"How long the output of ended machines is kept." default:"24h" min:"1m"`
}

// Env is environment of machines.
type Env map[string]string

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Check implements strictyaml.Checker.
func (e Env) Check() error {
	for _, name := range slices.Sorted(maps.Keys(e)) {
		switch {
		case !envName.MatchString(name):
			return fmt.Errorf("%q is no name of a variable; use letters, digits and underscores", name)
		case strings.HasPrefix(name, "PROVISIONER_"):
			return fmt.Errorf("%s cannot be set: the provisioner sets what begins with PROVISIONER_", name)
		case strings.ContainsRune(e[name], 0):
			return fmt.Errorf("the value of %s has a NUL character in it", name)
		}
	}
	return nil
}

// Pool is an ordered list of places.
type Pool struct {
	Places []Place       `yaml:"places" doc:"Where a machine can be made; the first that has room is taken." required:"true" min:"1"`
	Limit  int           `yaml:"limit" doc:"Machines at once; 0: no limit." default:"0" min:"0"`
	Ahead  bool          `yaml:"ahead" doc:"Make the machines of scheduled runs ahead of their time." default:"true"`
	Lead   time.Duration `yaml:"lead" doc:"How long ahead, until boots of this pool have been measured." default:"2m" min:"1s" max:"1h"`
	Spares *Spares       `yaml:"spares" doc:"Machines that are kept booted for runs that nobody could foresee."`
}

// Place is where a machine can be made.
type Place struct {
	Name  string `yaml:"name" doc:"Its name. The same place may stand in several pools; with a driver that has places it is one of them." required:"true" pattern:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}" example:"here-1"`
	Cloud string `yaml:"cloud" doc:"One of clouds." required:"true" example:"here"`
}

// Spares are a pool's machines in reserve. One fits a run that needs no more
// than it has.
type Spares struct {
	Count  int             `yaml:"count" doc:"How many." required:"true" min:"0" max:"1000" example:"2"`
	CPU    int             `yaml:"cpu" doc:"Cores of each." required:"true" min:"1" max:"1024" example:"4"`
	Memory strictyaml.Size `yaml:"memory" doc:"Memory of each." required:"true" min:"64Mi" example:"16Gi"`
	Disk   strictyaml.Size `yaml:"disk" doc:"Disk of each." required:"true" min:"1Gi" example:"50Gi"`
	Arch   string          `yaml:"arch" doc:"Processor of each." default:"amd64" enum:"amd64,arm64"`
}

// Need returns what each spare has.
func (s *Spares) Need() nodes.Need {
	return nodes.Need{CPU: s.CPU, Memory: int64(s.Memory), Disk: int64(s.Disk), Arch: s.Arch}
}

// Timing is nodes.Timing, field by field, so that nodes.Timing(c.Timing)
// converts it; TestTimingDefaults compares the defaults.
type Timing struct {
	Wait     time.Duration `yaml:"wait" doc:"A run may wait so long for a machine to be accepted; then it is told." default:"30m" min:"1s"`
	Boot     time.Duration `yaml:"boot" doc:"From there until the machine calls in." default:"10m" min:"1s"`
	Connect  time.Duration `yaml:"connect" doc:"From there until the node is online." default:"5m" min:"1s"`
	Come     time.Duration `yaml:"come" doc:"From there until the run is on it, though it waits for just that node." default:"10m" min:"1s"`
	Lost     time.Duration `yaml:"lost" doc:"A run that is neither in the queue nor on its node that long is lost. Jenkins gives a lost agent 5 minutes." default:"6m" min:"1s"`
	Missing  time.Duration `yaml:"missing" doc:"A build that Jenkins does not know that long has ended." default:"1m" min:"1s"`
	Settle   time.Duration `yaml:"settle" doc:"After a start of the controller nothing is concluded from what is missing for that long." default:"6m" min:"1s"`
	Patience time.Duration `yaml:"patience" doc:"A run made ahead for may come that much after its time." default:"5m" min:"1s"`
	SpareAge time.Duration `yaml:"spare_age" doc:"A spare is replaced at that age." default:"1h" min:"1m"`
	Orphan   time.Duration `yaml:"orphan" doc:"Grace of a machine or node without a lease." default:"5m" min:"1s"`
	Visible  time.Duration `yaml:"visible" doc:"A cloud lists a machine at most that long after it has accepted it." default:"2m" min:"1s"`
	Overrun  time.Duration `yaml:"overrun" doc:"What a run may take beyond its life limit before it is stopped." default:"10m" min:"1s"`
	MaxLife  time.Duration `yaml:"max_life" doc:"Life limit of a job that has no timeout." default:"72h" min:"1m"`
	Repeat   time.Duration `yaml:"repeat" doc:"An effect that does not show is repeated after that long." default:"10s" min:"100ms"`
	Machines int           `yaml:"machines" doc:"Machines that may fail a run before it began; then it is told." default:"3" min:"1" max:"100"`
}

// Bootstrap says how a machine starts its agent.
type Bootstrap struct {
	User        string   `yaml:"user" doc:"User that the agent and the runs have on machines of a cloud; the image has it. Default: root, who can also stop the machine's own deadline. Local machines have the provisioner's user." pattern:"[a-z_][a-z0-9_-]{0,31}" example:"batch"`
	Java        string   `yaml:"java" doc:"The java that runs the agent, on the machine." default:"java"`
	JavaOptions []string `yaml:"java_options" doc:"Options for it. The defaults make a fresh agent ready soonest." default:"[-Xmx256m, -XX:+UseSerialGC, -XX:TieredStopAtLevel=1]"`
	CAFile      string   `yaml:"ca_file" doc:"Certificates, on the machine, that provisioner and controller are checked with. Default: the system's."`
	Cache       string   `yaml:"cache" doc:"Directory, on the machine, that scripts/warm-agent.sh has made: with it the first step of a run begins sooner (docs/agent-start.md)." example:"/opt/agent-cache"`
}

// placeNames returns the names of the cloud's places, sorted; nil where the
// driver takes any.
func (c *Cloud) placeNames() []string {
	switch {
	case c.EC2 != nil:
		return slices.Sorted(maps.Keys(c.EC2.Places))
	case c.OpenStack != nil:
		return slices.Sorted(maps.Keys(c.OpenStack.Places))
	}
	return nil
}
