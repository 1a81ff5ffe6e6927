package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// The permissions that are tried on a node.
var (
	agentCreate     = permission{"Agent/Create", "hudson.model.Computer.Create"}
	agentConnect    = permission{"Agent/Connect", "hudson.model.Computer.Connect"}
	agentConfigure  = permission{"Agent/Configure", "hudson.model.Computer.Configure"}
	agentDisconnect = permission{"Agent/Disconnect", "hudson.model.Computer.Disconnect"}
	agentDelete     = permission{"Agent/Delete", "hudson.model.Computer.Delete"}
)

// node does with one node all that the provisioner does with nodes. No agent
// connects to it and nobody knows its label, so no run can come to it; and it
// is deleted whatever happens.
func (k *controllerCheck) node(ctx context.Context, owner string) {
	// A provisioner with this owner takes nodes with this description away,
	// should this program be killed before it does.
	name := "check-" + owner + "-" + strings.ToLower(rand.Text()[:8])
	spec := jenkins.NodeSpec{Name: name, Label: name, RemoteFS: "agent", Description: "made by provisioner " + owner + " for provisioner check; may be deleted"}
	err := k.client.CreateNode(ctx, spec)
	if !k.may(agentCreate, "make nodes", err) {
		if errors.Is(err, jenkins.ErrUnavailable) || ctx.Err() != nil {
			k.remove(ctx, name) // it may have been made
		}
		k.warn(k.thing, fmt.Sprintf("%s, %s, %s and %s were not tried, as there is no node to try them on", agentConnect.name, agentConfigure.name, agentDisconnect.name, agentDelete.name))
		return
	}
	_, err = k.client.Secret(ctx, name)
	k.may(agentConnect, "read the secret by which a machine becomes a node", err)
	k.seal(ctx, name)
	k.may(agentDisconnect, "take nodes offline", k.client.SetOffline(ctx, name, "provisioner check"))
	k.remove(ctx, name)
}

// seal is the one permission that the provisioner can do without.
func (k *controllerCheck) seal(ctx context.Context, name string) {
	err := k.client.Seal(ctx, name, name)
	if !errors.Is(err, jenkins.ErrForbidden) {
		k.may(agentConfigure, "take the label from a node", err)
		return
	}
	k.warn(k.thing, agentConfigure.name+": without it a node keeps its label while its run is on it, and is taken offline a look after that has left; in between another attempt of the run can come to a machine that has been used, and where Jenkins is killed just after the run has begun, its program can be started twice at once",
		k.grant(agentConfigure))
}

// remove deletes the node, also when the check was interrupted.
func (k *controllerCheck) remove(ctx context.Context, name string) {
	ctx = context.WithoutCancel(ctx)
	err := k.client.DeleteNode(ctx, name)
	if errors.Is(err, jenkins.ErrUnavailable) {
		time.Sleep(time.Second)
		err = k.client.DeleteNode(ctx, name)
	}
	if errors.Is(err, jenkins.ErrNotFound) {
		return // it was not made, or the first call had its effect
	}
	if !k.may(agentDelete, "delete nodes", err) {
		page, _ := url.JoinPath(k.cfg.URL, "computer", name)
		k.warn(k.thing, fmt.Sprintf("the node %s is still there", name), "delete it by hand: "+page)
	}
}

// may tells whether what needs a permission could be done.
func (k *controllerCheck) may(p permission, what string, err error) bool {
	e, ok := errors.AsType[*jenkins.Error](err)
	switch {
	case err == nil:
		k.ok(k.thing, fmt.Sprintf("%s: may %s", p.name, what))
		return true
	case ok && errors.Is(err, jenkins.ErrForbidden) && (e.Permission == "" || e.Permission == p.id):
		message := fmt.Sprintf("%s: user %s may not %s", p.name, k.cfg.User, what)
		if e.Message != "" {
			message += ": " + e.Message
		}
		k.fail(k.thing, message, k.grant(p))
	default:
		k.trouble(p.name, err)
	}
	return false
}
