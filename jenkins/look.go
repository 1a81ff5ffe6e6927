package jenkins

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"time"
)

// A Look is what a controller has in its queue and on its nodes.
//
// The queue is read before the nodes. So a run that gets its executor in
// between is seen in both, and one that got it before is seen on its node;
// read the other way round it would be seen in neither, and its machine taken
// for one that nobody wants. While Jenkins starts a run on an executor the
// node is busy with a zero Ref.
//
// A run that goes the other way, from a node back into the queue, is in
// neither for one Look: its node was lost and it is tried again, or it comes
// back after a restart. So only Run tells that a run has ended.
type Look struct {
	Session      string // changes with each start of the controller
	Version      string // of Jenkins
	QuietingDown bool   // nothing new will start: the controller is to be stopped
	Queue        []Item
	Nodes        []Node
}

// An Item is a run or a job that waits in the queue. Two branches of one run
// are two items with the same Ref.
type Item struct {
	ID        int64     // new after each start of the controller, and used again after a crash: never a key
	Since     time.Time // when it came into the queue, by Jenkins' clock, to the millisecond
	Buildable bool      // waits for nothing but an executor
	Blocked   bool      // waits for another run of its job to end
	Ref       Ref       // Number 0: the run has not started, and has no number yet
}

// A Node is one of the controller's nodes, its built-in one included.
type Node struct {
	Name               string // display name: that of the built-in node is "Built-In Node"
	Description        string
	Offline            bool   // takes no new runs: set offline, or no agent is connected
	TemporarilyOffline bool   // set offline by somebody
	OfflineCause       string // in plain words, in the controller's language; "" also for a node that was never connected
	Idle               bool   // no executor is busy. The built-in node is busy as long as any Pipeline runs
	Running            []Ref  // one for each busy executor; a zero Ref where the user may not read the job, or the run is just starting
}

const (
	queueTree = "items[id,inQueueSince,buildable,blocked,task[url]]"
	nodesTree = "computer[displayName,description,offline,temporarilyOffline,offlineCauseReason,idle," +
		"executors[idle,currentExecutable[number,url]]]"
)

// Look reads the controller's queue and nodes. It fails with ErrRestarted
// when the controller was started anew in between.
func (c *Client) Look(ctx context.Context) (Look, error) {
	const op = "look at queue and nodes"
	var root struct{ QuietingDown *bool }
	first, err := c.get(ctx, op, "", "quietingDown", &root)
	if err != nil {
		return Look{}, err
	}
	if root.QuietingDown == nil {
		return Look{}, c.lacks(op, "quietingDown")
	}
	look := Look{Session: first.Get("X-Jenkins-Session"), Version: first.Get("X-Jenkins"), QuietingDown: *root.QuietingDown}
	if look.Session == "" {
		e := c.lacks(op, "")
		e.Message = "the answer has no X-Jenkins-Session: a proxy drops it, or this is no Jenkins"
		return Look{}, e
	}
	queued, err := c.queue(ctx, op, &look)
	if err != nil {
		return Look{}, err
	}
	nodes, err := c.nodes(ctx, op, &look)
	if err != nil {
		return Look{}, err
	}
	for _, header := range []http.Header{queued, nodes} {
		if session := header.Get("X-Jenkins-Session"); session != look.Session {
			return Look{}, &Error{URL: c.base, Op: op, Err: ErrRestarted, Message: fmt.Sprintf("session %s became %q", look.Session, session)}
		}
	}
	return look, nil
}

// queue reads the queue into a look.
func (c *Client) queue(ctx context.Context, op string, look *Look) (http.Header, error) {
	var queue struct {
		Items *[]struct {
			ID                 int64
			InQueueSince       int64
			Buildable, Blocked bool
			Task               struct{ URL string }
		}
	}
	header, err := c.get(ctx, op, "/queue", queueTree, &queue)
	if err != nil {
		return nil, err
	}
	if queue.Items == nil {
		return nil, c.lacks(op, "items")
	}
	look.Queue = make([]Item, 0, len(*queue.Items))
	for _, item := range *queue.Items {
		ref, ok := parseRef(item.Task.URL)
		if !ok {
			continue // of no job, as AfterRestartTask
		}
		look.Queue = append(look.Queue, Item{
			ID: item.ID, Since: time.UnixMilli(item.InQueueSince), Buildable: item.Buildable, Blocked: item.Blocked, Ref: ref,
		})
	}
	return header, nil
}

// nodes reads the nodes into a look.
func (c *Client) nodes(ctx context.Context, op string, look *Look) (http.Header, error) {
	var set struct {
		Computer *[]struct {
			DisplayName, Description, OfflineCauseReason string
			Offline, TemporarilyOffline, Idle            bool
			Executors                                    []struct {
				Idle              bool
				CurrentExecutable *struct{ URL string }
			}
		}
	}
	header, err := c.get(ctx, op, "/computer", nodesTree, &set)
	if err != nil {
		return nil, err
	}
	if set.Computer == nil {
		return nil, c.lacks(op, "computer")
	}
	look.Nodes = make([]Node, 0, len(*set.Computer))
	for _, computer := range *set.Computer {
		node := Node{
			Name: computer.DisplayName, Description: computer.Description, Offline: computer.Offline,
			TemporarilyOffline: computer.TemporarilyOffline, OfflineCause: html.UnescapeString(computer.OfflineCauseReason), Idle: computer.Idle,
		}
		for _, executor := range computer.Executors {
			var ref Ref
			if executor.CurrentExecutable != nil {
				ref, _ = parseRef(executor.CurrentExecutable.URL)
			}
			if !executor.Idle || ref != (Ref{}) {
				node.Running = append(node.Running, ref)
			}
		}
		look.Nodes = append(look.Nodes, node)
	}
	return header, nil
}
