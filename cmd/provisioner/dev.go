package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
	"github.com/batchctl/batchctl/nodes/local"
)

// devAhead is how long before a scheduled minute the clock of dev stands at
// its start: long enough for a local machine to be made ahead.
const devAhead = 12 * time.Second

// cloudAhead is the same where the machines are those of clouds.
const cloudAhead = 40 * time.Second

// devOptions is what dev is asked for.
type devOptions struct {
	catalog string
	clouds  string // configuration of clouds whose machines are used; empty: local processes
	runs    int
	verbose bool
	keep    bool // go on until it is interrupted
}

// devCommand is the whole product in one process.
func devCommand(io *streams) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Show the main job: a simulated Jenkins, a provisioner and local machines in one process",
		Long: `Starts a simulated Jenkins with the jobs of a catalog, a provisioner with SQLite,
and local processes as machines, all on loopback and in a temporary directory.
Its clock stands a few seconds before a scheduled minute. Then the jobs that
are due and a few more are run, and what becomes of each is shown. At the end
nothing is left: no process, no file.

With --clouds the machines are those of real clouds, whose hypervisor is fake:
on each that runs, a local process does what its user data says.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return dev(cmd.Context(), io, o)
		},
	}
	cmd.Flags().StringVar(&o.catalog, "catalog", "", "catalog.json that batchctl render has written (required)")
	cmd.Flags().StringVar(&o.clouds, "clouds", "", "file with the owner, clouds and places of machines that are used instead of local processes")
	cmd.Flags().IntVar(&o.runs, "runs", 4, "how many runs are started by hand besides the scheduled ones")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show the provisioner's log")
	cmd.Flags().BoolVar(&o.keep, "keep", false, "go on until Ctrl-C, and print where Jenkins and the API are")
	_ = cmd.MarkFlagRequired("catalog")
	return cmd
}

// dev runs the simulation, and takes everything away at its end, however it
// ends.
func dev(ctx context.Context, io *streams, o devOptions) (err error) {
	c, err := readCatalog(o.catalog)
	if err != nil {
		return err
	}
	dir, unlock, err := devDir(ctx, io)
	if err != nil {
		return err
	}
	defer unlock()
	due, scheduled, err := firstDue(c, time.Now())
	if err != nil {
		return err
	}
	ahead := devAhead
	if o.clouds != "" {
		ahead = cloudAhead
	}
	d := &devWorld{streams: io, devOptions: o, catalog: c, dir: dir, ahead: ahead, now: clockAt(due.Add(-ahead)), due: due}
	if err := d.readClouds(ctx); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := d.start(ctx); err != nil {
		return errors.Join(err, d.cleanUp(ctx))
	}
	err = d.show(ctx, scheduled)
	return errors.Join(err, d.stop(ctx), d.cleanUp(ctx), d.verdict())
}

// devWorld is everything that dev has started.
type devWorld struct {
	*streams
	devOptions
	catalog catalog.Catalog
	dir     string
	ahead   time.Duration
	now     func() time.Time
	due     time.Time

	jenkins *jenkinstest.Server
	web     *http.Server
	url     string
	clouds  *devClouds // nil: local processes are the machines
	service *service
	cancel  context.CancelFunc
	ended   chan error
	summary summary
}

// clockAt returns a clock that shows t now, and goes on from there.
func clockAt(t time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return t.Add(time.Since(began)).UTC() }
}

func readCatalog(path string) (catalog.Catalog, error) {
	f, err := os.Open(path)
	if err != nil {
		return catalog.Catalog{}, err
	}
	defer f.Close()
	c, err := catalog.Read(f)
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if len(c.Jobs) == 0 {
		return c, fmt.Errorf("%s has no job", path)
	}
	return c, nil
}

// firstDue returns a minute in which jobs are started by the clock, and these
// jobs: that of daily-settlement, the job of the documentation, or else the
// next one.
func firstDue(c catalog.Catalog, from time.Time) (time.Time, []*catalog.Job, error) {
	var first, wanted time.Time
	for i := range c.Jobs {
		j := &c.Jobs[i]
		if j.Schedule == nil || j.Disabled {
			continue
		}
		due, err := nodes.NextDue(j.Schedule, from)
		if err != nil {
			return first, nil, fmt.Errorf("job %s: %w", j.Path, err)
		}
		if !due.IsZero() && (first.IsZero() || due.Before(first)) {
			first = due
		}
		if strings.HasSuffix(j.Path, "/daily-settlement") && wanted.IsZero() {
			wanted = due
		}
	}
	if wanted.IsZero() {
		wanted = first
	}
	if wanted.IsZero() {
		return from.Add(devAhead), nil, nil
	}
	var jobs []*catalog.Job
	for i := range c.Jobs {
		j := &c.Jobs[i]
		if j.Schedule == nil || j.Disabled {
			continue
		}
		if due, err := nodes.NextDue(j.Schedule, wanted.Add(-time.Second)); err == nil && due.Equal(wanted) {
			jobs = append(jobs, j)
		}
	}
	return wanted, jobs, nil
}

// start starts Jenkins, then the provisioner.
func (d *devWorld) start(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.url = "http://" + listener.Addr().String()
	d.jenkins = jenkinstest.New(d.now)
	d.jenkins.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	for i := range d.catalog.Jobs {
		j := &d.catalog.Jobs[i]
		d.jenkins.PutJob(j.FullName(), jenkinstest.JobSpec{
			Label:            func(n int) string { return catalog.Label(j.Token, n) },
			Script:           devScript,
			ForbidConcurrent: j.Concurrency == "forbid",
			Disabled:         j.Disabled,
		})
	}
	d.web = &http.Server{Handler: d.jenkins, ReadHeaderTimeout: 10 * time.Second}
	d.ended = make(chan error, 2)
	go func() { d.ended <- ignoreClosed(d.web.Serve(listener)) }()

	log, err := d.log()
	if err != nil {
		return err
	}
	client, err := jenkins.New(jenkins.Config{URL: d.url, User: "provisioner", Token: jenkinstest.Token("provisioner")})
	if err != nil {
		return err
	}
	java, err := d.fakeJava()
	if err != nil {
		return err
	}
	p := parts{storeURL: "sqlite:" + filepath.Join(d.dir, "state.db"), listen: "127.0.0.1:0"}
	p.nodes = nodes.Config{
		Owner: "dev", Timing: nodes.DefaultTiming(), Key: []byte("a key that lives as long as dev"), Log: log, Now: d.now,
		Controllers: map[string]nodes.Controller{},
		Pools:       map[string]nodes.Pool{},
	}
	p.userData = map[string]userData{"local": localData}
	places, err := d.useClouds(&p)
	if err != nil {
		return err
	}
	for i := range d.catalog.Jobs {
		j := &d.catalog.Jobs[i]
		p.nodes.Controllers[j.Controller] = nodes.Controller{Client: client, AgentURL: d.url, Every: 200 * time.Millisecond}
		p.nodes.Pools[j.Node.Pool] = nodes.Pool{Name: j.Node.Pool, Ahead: true, Lead: d.ahead - 2*time.Second, Places: places}
	}
	p.pools = p.nodes.Pools
	p.tokens = []console.Token{{Name: "dev", Role: console.Operate, Hash: console.HashToken(devToken)}}
	p.bootstrap = bootstrap.Params{Java: java}
	if d.service, err = newService(ctx, p); err != nil {
		return err
	}
	d.service.bootstrap.URL = "http://" + d.service.listener.Addr().String()
	if _, err := d.service.db.PutCatalog(ctx, d.catalog, "dev", d.now()); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	go func() { d.ended <- d.service.run(running) }()
	if d.clouds != nil {
		d.clouds.play(running, d.service)
	}
	return nil
}

// useClouds gives the provisioner its clouds, and returns the places that
// each pool has.
func (d *devWorld) useClouds(p *parts) ([]nodes.Place, error) {
	if d.clouds != nil {
		return d.clouds.join(p)
	}
	driver, err := local.New(local.Config{Dir: filepath.Join(d.dir, "machines"), Owner: "dev"})
	if err != nil {
		return nil, err
	}
	p.nodes.Clouds = map[string]nodes.Cloud{"local": {Driver: driver, Every: time.Second, Calls: 4}}
	return []nodes.Place{{Name: "here", Cloud: "local"}}, nil
}

// devToken opens the API of dev, which listens on loopback and guards nothing.
const devToken = "dev"

// devScript is what the program of a batch is here.
const devScript = `echo "settling on $NODE_NAME"; sleep 2`

// log is where the provisioner's log goes: to a file, or to the terminal.
func (d *devWorld) log() (*slog.Logger, error) {
	if d.verbose {
		return slog.New(slog.NewTextHandler(d.err, nil)), nil
	}
	f, err := os.OpenFile(filepath.Join(d.dir, "provisioner.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return slog.New(slog.NewJSONHandler(f, nil)), nil
}

// fakeJava writes the program that the bootstrap script takes for java. It
// gets the arguments of a Jenkins agent, and connects to the simulated
// Jenkins as one.
func (d *devWorld) fakeJava() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.dir, "java")
	script := "#!/bin/sh\nexec " + shellQuote(self) + " dev-agent \"$@\"\n"
	return path, os.WriteFile(path, []byte(script), 0o755)
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// stop stops the provisioner and Jenkins.
func (d *devWorld) stop(ctx context.Context) error {
	d.cancel()
	if d.clouds != nil {
		d.clouds.playing.Wait()
	}
	quick, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	if d.web.Shutdown(quick) != nil {
		_ = d.web.Close() // an agent's long poll is still open
	}
	return errors.Join(<-d.ended, <-d.ended)
}

// cleanUp ends the machines that are left, and removes the directory.
func (d *devWorld) cleanUp(ctx context.Context) error {
	left, err := sweepDev(context.WithoutCancel(ctx), d.dir)
	if d.clouds != nil {
		left, err = d.clouds.sweep(context.WithoutCancel(ctx))
	}
	d.summary.left = left
	return errors.Join(err, os.RemoveAll(d.dir))
}

// sweepDev ends all machines that a dev has made in a directory, and returns
// how many there were.
func sweepDev(ctx context.Context, dir string) (int, error) {
	driver, err := local.New(local.Config{Dir: filepath.Join(dir, "machines"), Owner: "dev"})
	if err != nil {
		return 0, err
	}
	vms, err := driver.List(ctx)
	if err != nil || len(vms) == 0 {
		return 0, err
	}
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	return len(vms), driver.Destroy(ctx, ids...)
}

// devDir makes dev's directory, always the same for a user, so that what an
// earlier dev left that was killed is found and taken away.
func devDir(ctx context.Context, io *streams) (dir string, unlock func(), err error) {
	dir = filepath.Join(os.TempDir(), fmt.Sprintf("provisioner-dev-%d", os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", nil, err
	}
	if err := ownDir(dir); err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return "", nil, errors.Join(fmt.Errorf("another provisioner dev runs in %s; end it first", dir), lock.Close())
	}
	left, err := sweepDev(ctx, dir)
	if err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	if left > 0 {
		fmt.Fprintf(io.err, "An earlier dev was killed and left %d machines; they are destroyed.\n", left)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	return dir, func() { _ = lock.Close() }, nil
}

// ownDir refuses a directory of somebody else, as anybody may make one of
// that name in /tmp.
func ownDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not a directory of yours alone; remove it", dir)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handStarted picks jobs to be started by hand: the first ones of different
// groups that are not due anyway.
func (d *devWorld) handStarted(scheduled []*catalog.Job) []*catalog.Job {
	var picked []*catalog.Job
	groups := map[string]bool{}
	for i := range d.catalog.Jobs {
		j := &d.catalog.Jobs[i]
		group := j.Path[:strings.LastIndexByte(j.Path, '/')]
		if len(picked) < d.runs && !j.Disabled && !groups[group] && strings.HasPrefix(j.Path, "live-") && !slices.Contains(scheduled, j) {
			picked = append(picked, j)
			groups[group] = true
		}
	}
	return picked
}
