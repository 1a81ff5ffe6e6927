package jenkins

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"net/http"
)

// Seal takes the label from a node, so that no further run finds it; the run
// that is on it goes on, and comes back to it after a restart of the
// controller, as it asks for the node by name by then (ExecutorStepExecution
// switches to the self-label when its block begins). Unlike SetOffline it
// does not keep that run from coming back. It may be repeated. ErrNotFound:
// there is no such node. It needs Agent/Configure, to read and to write the
// node's configuration.
func (c *Client) Seal(ctx context.Context, node, label string) error {
	op := fmt.Sprintf("take the label from node %q", node)
	path, err := nodePath(node)
	if err != nil {
		return c.invalid(op, err)
	}
	config, err := c.document(ctx, op, http.MethodGet, path+"/config.xml", nil)
	if err != nil {
		return err
	}
	have, none := []byte("<label>"+label+"</label>"), []byte("<label></label>")
	switch {
	case bytes.Count(config, have) == 1:
	case bytes.Contains(config, none), bytes.Contains(config, []byte("<label/>")):
		return nil // sealed already
	default:
		return &Error{URL: c.base, user: c.user, Op: op, Status: http.StatusOK, Err: ErrGarbage, Message: "its configuration does not have the label " + label}
	}
	_, err = c.document(ctx, op, http.MethodPost, path+"/config.xml", bytes.Replace(config, have, none, 1))
	return err
}

// document reads an XML document, or writes one, to which the answer is 200
// and nothing more (Computer.doConfigDotXml).
func (c *Client) document(ctx context.Context, op, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, c.invalid(op, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/xml")
	}
	a, e := c.exchange(req)
	switch {
	case e != nil:
	case a.status != http.StatusOK:
		e = c.errorOf(a)
	case method == http.MethodPost && len(a.body) > 0:
		// Jenkins says nothing to what it has taken; a login page says much.
		e = c.garbage(a, "an answer without a body was due")
	case method == http.MethodGet && !a.isXML():
		e = c.garbage(a, fmt.Sprintf("wanted XML, got %q, a login page or a proxy's? It says: %s", a.header.Get("Content-Type"), a.message()))
	}
	if e != nil {
		e.Op = op
		return nil, e
	}
	return a.body, nil
}

// isXML says whether an answer says that it is XML.
func (a *answer) isXML() bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return kind == "application/xml" || kind == "text/xml"
}
