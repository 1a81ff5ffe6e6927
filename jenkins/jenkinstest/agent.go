package jenkinstest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrNodeGone is how an agent ends whose node is gone for good.
var ErrNodeGone = errors.New("the node is gone")

// An Agent is the process on a node's machine, for a Server that is reached
// over a socket. It runs the Script of the runs that its node gets.
type Agent struct {
	URL, Name, Secret string
	WorkDir           string        // scripts run in it
	Patience          time.Duration // how long to try again while the controller does not know the node; 0 = 30 s
}

// RunAgent runs an agent until its context ends, or its node is gone.
func RunAgent(ctx context.Context, url, name, secret, workDir string) error {
	return Agent{URL: url, Name: name, Secret: secret, WorkDir: workDir}.Run(ctx)
}

// Run connects, and connects again after every loss of the connection, until
// the context ends or, with ErrNodeGone, the node has not been there for
// Patience. A wrong secret ends it at once. Scripts outlive the loss of a
// connection, and end with the agent.
func (a Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{Agent: a, running: map[string]context.CancelFunc{}}
	defer p.scripts.Wait()
	defer cancel()
	patience := cmp.Or(a.Patience, 30*time.Second)
	lastSeen := time.Now()
	for {
		err := p.session(ctx)
		var refused refusal
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &refused) && refused.status == http.StatusForbidden:
			return fmt.Errorf("agent %s: %w", a.Name, err)
		case !errors.As(err, &refused):
			lastSeen = time.Now() // the controller is away, and may come back with the node
		case time.Since(lastSeen) > patience:
			return fmt.Errorf("agent %s: %w: %w", a.Name, ErrNodeGone, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// A process is a running agent.
type process struct {
	Agent
	mu      sync.Mutex
	running map[string]context.CancelFunc
	scripts sync.WaitGroup
}

// session connects and works until the connection is lost.
func (p *process) session(ctx context.Context) error {
	p.mu.Lock()
	has := url.Values{}
	for ref := range p.running {
		has.Add("has", ref)
	}
	p.mu.Unlock()
	if _, err := p.call(ctx, "connect", has, nil); err != nil {
		return err
	}
	for {
		body, err := p.call(ctx, "work", nil, nil)
		if err != nil {
			return err
		}
		if len(body) == 0 {
			continue
		}
		var o order
		if err := json.Unmarshal(body, &o); err != nil {
			return err
		}
		p.obey(ctx, o)
	}
}

// obey begins or ends a script.
func (p *process) obey(ctx context.Context, o order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := o.ref().String()
	if o.Kill {
		if cancel := p.running[name]; cancel != nil {
			cancel()
		}
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	p.running[name] = cancel
	p.scripts.Go(func() {
		defer cancel()
		p.execute(ctx, o)
		p.mu.Lock()
		delete(p.running, name)
		p.mu.Unlock()
	})
}

// execute runs a script and reports its end, as often as it takes.
func (p *process) execute(ctx context.Context, o order) {
	cmd := exec.CommandContext(ctx, "sh", "-c", o.Script)
	cmd.Dir = p.WorkDir
	cmd.Env = cmd.Environ()
	for key, value := range o.Env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	// A script's children end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	log, err := cmd.CombinedOutput()
	exit := 0
	if err != nil {
		exit = 1
		log = append(log, err.Error()...)
	}
	report := url.Values{"job": {o.Job}, "number": {strconv.Itoa(o.Number)}, "exit": {strconv.Itoa(exit)}}
	for ctx.Err() == nil {
		if _, err := p.call(ctx, "done", report, log); err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// call sends a request of the agent and returns the answer's body.
func (p *process) call(ctx context.Context, what string, values url.Values, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*pollFor)
	defer cancel()
	query := url.Values{"name": {p.Name}, "secret": {p.Secret}}
	for key, list := range values {
		query[key] = list
	}
	target := strings.TrimRight(p.URL, "/") + agentPath + what + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil && res.StatusCode >= 400 {
		err = refusal{res.StatusCode, strings.TrimSpace(string(answer))}
		if res.StatusCode >= 500 {
			err = errDown
		}
	}
	return answer, err
}
