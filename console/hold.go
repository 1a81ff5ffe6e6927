package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

// tries is how often a change is made anew on what another has made of the
// lease meanwhile. The reconciler changes a lease a few times a second at the
// most.
const tries = 5

type holdInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body api.HoldRequest
}

type holdOutput struct{ Body api.Hold }

// hold has a machine stay after its run. It changes nothing about the run.
func (h *console) hold(ctx context.Context, in *holdInput) (*holdOutput, error) {
	now := h.Now()
	until := in.Body.Until.UTC()
	switch {
	case in.Body.Until.IsZero() == (in.Body.For == 0):
		return nil, invalid("body", errors.New("it takes either until or for"))
	case in.Body.For > 0:
		until = now.Add(time.Duration(in.Body.For) * time.Second)
	}
	until = nodes.StoredTime(until)
	if !until.After(now) {
		return nil, invalid("body.until", errors.New("that time has passed"))
	}
	who := callerOf(ctx).Name
	out := &holdOutput{}
	changed, err := h.change(ctx, in.ID, func(l *nodes.Lease) error {
		if why := cannotHold(l, now); why != "" {
			return huma.Error409Conflict(why)
		}
		out.Body = api.Hold{Until: until}
		if l.Expires.Before(until) {
			out.Body.Until, out.Body.Bounded = l.Expires, true
			out.Body.Note = "the machine powers itself off then, and that cannot be put off"
		}
		l.HoldUntil, l.HeldBy = out.Body.Until, who
		l.Reason = fmt.Sprintf("%s; kept until %s for %s: %s", unheld(l.Reason), l.HoldUntil.Format(time.RFC3339), who, in.Body.Reason)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if changed.State == nodes.Releasing {
		out.Body.Note = strings.TrimPrefix(out.Body.Note+"; the machine is being taken away already, and may be gone", "; ")
	}
	out.Body.Lease = lease(&changed, now)
	return out, nil
}

// cannotHold says why a machine cannot be kept, or "".
func cannotHold(l *nodes.Lease, now time.Time) string {
	switch {
	case l.State == nodes.Gone:
		return "its machine is gone: " + l.Reason
	case l.Spare():
		return "it is a spare, which no run is bound to; there is nothing to look at"
	case l.Expires.IsZero():
		return "no machine was asked for yet: " + l.Reason + "; ask again when it boots"
	case !l.Expires.After(now):
		return "its machine has powered itself off at " + l.Expires.Format(time.RFC3339)
	}
	return ""
}

type leaseOutput struct{ Body api.Lease }

// release ends a hold, and nothing else: the reconciler takes a machine away
// when no build is on it.
func (h *console) release(ctx context.Context, in *leaseID) (*leaseOutput, error) {
	now := h.Now()
	changed, err := h.change(ctx, in.ID, func(l *nodes.Lease) error {
		if !l.HoldUntil.After(now) || l.State == nodes.Gone {
			return huma.Error409Conflict(notHeld(l))
		}
		l.Reason = fmt.Sprintf("%s; the hold%s was ended by %s", unheld(l.Reason), of(l.HeldBy), callerOf(ctx).Name)
		l.HoldUntil, l.HeldBy = time.Time{}, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &leaseOutput{lease(&changed, now)}, nil
}

// notHeld says why there is no hold to end.
func notHeld(l *nodes.Lease) string {
	switch l.State {
	case nodes.Gone:
		return "its machine is gone: " + l.Reason
	case nodes.Busy:
		return "it is not held: its run is on the machine, and a build is never cut off; stop the build in Jenkins"
	}
	return "it is not held; it is " + string(l.State) + ": " + l.Reason
}

func of(name string) string {
	if name == "" {
		return ""
	}
	return " of " + name
}

// unheld is a reason without what an earlier hold has added to it.
func unheld(reason string) string {
	reason, _, _ = strings.Cut(reason, "; kept until ")
	reason, _, _ = strings.Cut(reason, "; the hold")
	return reason
}

// change makes a change of a lease, on top of what others have changed
// meanwhile. An error of edit is the answer.
func (h *console) change(ctx context.Context, id string, edit func(*nodes.Lease) error) (nodes.Lease, error) {
	for range tries {
		l, err := h.findLease(ctx, id)
		if err != nil {
			return l, err
		}
		if err := edit(&l); err != nil {
			return l, err
		}
		l.Changed = h.Now()
		stored, err := h.Records.Update(ctx, l)
		switch {
		case err == nil:
			return stored, nil
		case !errors.Is(err, nodes.ErrConflict):
			return l, h.broken(ctx, err)
		}
	}
	return nodes.Lease{}, huma.Error409Conflict("the lease changes all the time just now; try again")
}
