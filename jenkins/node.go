package jenkins

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
)

// A NodeSpec is a node to be made: an inbound agent with one executor that
// takes only runs which ask for its label.
type NodeSpec struct {
	Name        string // never used before: the agent's secret is a function of it
	Description string
	Label       string            // the one label; stay inside [A-Za-z0-9._-]
	RemoteFS    string            // the agent's work directory, on its machine
	Env         map[string]string // environment of all steps on the node
}

// form returns the form of Jenkins' "new node" page. The class names are
// those of Jenkins core: hudson.slaves.DumbSlave is a permanent agent,
// JNLPLauncher one that connects from its side, EXCLUSIVE the usage "only
// jobs with label expressions matching this node".
func (s NodeSpec) form() (url.Values, error) {
	type entry struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	properties := map[string]any{"stapler-class-bag": "true"}
	if len(s.Env) > 0 {
		env := make([]entry, 0, len(s.Env))
		for key, value := range s.Env {
			env = append(env, entry{key, value})
		}
		slices.SortFunc(env, func(a, b entry) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
		properties["hudson-slaves-EnvironmentVariablesNodeProperty"] = map[string]any{"env": env}
	}
	document, err := json.Marshal(map[string]any{
		"name": s.Name, "nodeDescription": s.Description, "numExecutors": "1", "remoteFS": s.RemoteFS,
		"labelString": s.Label, "mode": "EXCLUSIVE",
		"launcher":          map[string]any{"$class": "hudson.slaves.JNLPLauncher"},
		"retentionStrategy": map[string]any{"$class": "hudson.slaves.RetentionStrategy$Always"},
		"nodeProperties":    properties,
	})
	return url.Values{"name": {s.Name}, "type": {"hudson.slaves.DumbSlave"}, "json": {string(document)}}, err
}

// CreateNode makes a node. ErrExists: one of that name is there. Of two
// concurrent calls for one name both may succeed, with the label of either.
// It needs Agent/Create.
func (c *Client) CreateNode(ctx context.Context, spec NodeSpec) error {
	op := fmt.Sprintf("create node %q", spec.Name)
	if _, err := nodePath(spec.Name); err != nil {
		return c.invalid(op, err)
	}
	form, err := spec.form()
	if err != nil {
		return c.invalid(op, err)
	}
	return c.post(ctx, op, "/computer/doCreateItem", form, "/computer/")
}

var secretArgument = regexp.MustCompile(`<argument>([0-9a-f]{64})</argument>`)

// Secret returns the secret that an agent must show to be the node: 64
// hexadecimal digits. Each call is a warning in the controller's log. It
// needs Agent/Connect.
func (c *Client) Secret(ctx context.Context, node string) (string, error) {
	op := fmt.Sprintf("read secret of node %q", node)
	path, err := nodePath(node)
	if err != nil {
		return "", c.invalid(op, err)
	}
	ctx, cancel := c.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"/jenkins-agent.jnlp", nil)
	if err != nil {
		return "", c.invalid(op, err)
	}
	a, e := c.exchange(req)
	if e == nil && a.status != http.StatusOK {
		e = c.errorOf(a)
	}
	if e != nil {
		e.Op = op
		return "", e
	}
	found := secretArgument.FindSubmatch(a.body)
	if found == nil {
		// Not a word of the body: it may be a secret of another form.
		e := c.garbage(a, "the document has no secret of 64 hexadecimal digits")
		e.Op = op
		return "", e
	}
	return string(found[1]), nil
}

// SetOffline keeps new runs off a node; one that is on it goes on. It may be
// repeated. The state outlives a restart of the controller, and then keeps
// the node's own run from coming back. It needs Agent/Disconnect.
func (c *Client) SetOffline(ctx context.Context, node, reason string) error {
	op := fmt.Sprintf("set node %q offline", node)
	path, err := nodePath(node)
	if err != nil {
		return c.invalid(op, err)
	}
	// Never toggleOffline: repeated, it undoes itself.
	return c.post(ctx, op, path+"/changeOfflineCause", url.Values{"offlineMessage": {reason}}, "/computer/"+node+"/")
}

// DeleteNode deletes a node. Nothing may run on it: otherwise its run waits
// five minutes for it, and the node stays listed until that run is stopped or
// DeleteNode is called again. ErrNotFound: there is no such node. It needs
// Agent/Delete.
func (c *Client) DeleteNode(ctx context.Context, node string) error {
	op := fmt.Sprintf("delete node %q", node)
	path, err := nodePath(node)
	if err != nil {
		return c.invalid(op, err)
	}
	return c.post(ctx, op, path+"/doDelete", nil, "/computer/")
}

// Anonymous is the name that Jenkins gives to a caller without user and token.
const Anonymous = "anonymous"

// Whoami returns the name of the user that Jenkins takes the client for. It
// is Anonymous, and no error, where no user is configured. It needs no
// permission.
func (c *Client) Whoami(ctx context.Context) (string, error) {
	const op = "ask who we are"
	var me struct{ Name string }
	if _, err := c.get(ctx, op, "/whoAmI", "name", &me); err != nil {
		return "", err
	}
	if me.Name == "" {
		return "", c.lacks(op, "name")
	}
	return me.Name, nil
}
