package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/time/rate"

	"github.com/batchctl/batchctl/nodes"
)

// Desk decides about a machine that calls in. It answers with
// nodes.ErrStranger, ErrSpent, ErrNotYet or ErrOver where it hands nothing
// over; the same call again gets the same answer.
type Desk interface {
	CallIn(ctx context.Context, c nodes.Call) (nodes.Handover, error)
}

// Options of a Handler. The zero value will do.
type Options struct {
	// Changed returns a channel that is closed when something has changed that
	// a call may be waiting for. nil: calls look again each second only.
	Changed func() <-chan struct{}

	Hold        time.Duration // how long a call may wait for something to do; 0: 25 s
	Strangers   rate.Limit    // refused calls a second from one address before it is not heard any more; 0: 1
	StrangersAt int           // and how many at once; 0: 20
}

const (
	bodyLimit    = 16 << 10
	bodyTime     = 10 * time.Second       // for a body to arrive
	replyTime    = 10 * time.Second       // for a reply to be taken, beyond the hold
	refusalTime  = 200 * time.Millisecond // every refusal takes as long, whatever it took to find
	refusal      = "refused\n"
	retrySeconds = "5"
)

// Handler returns the handler of calls to Path. It sets its own deadlines for
// reading and writing, beyond which it needs no timeouts of the server. Calls
// are held for up to Options.Hold, also while the server shuts down, unless
// its base context ends.
//
// The caller's address is that of the connection: what a proxy says of it is
// not believed.
func Handler(desk Desk, log *slog.Logger, o Options) http.Handler {
	if o.Hold == 0 {
		o.Hold = 25 * time.Second
	}
	if o.Strangers == 0 {
		o.Strangers = 1
	}
	if o.StrangersAt == 0 {
		o.StrangersAt = 20
	}
	if o.Changed == nil {
		o.Changed = func() <-chan struct{} { return nil }
	}
	return &handler{desk: desk, log: log, opts: o, strangers: newStrangers(o.Strangers, o.StrangersAt), again: time.Second}
}

type handler struct {
	desk      Desk
	log       *slog.Logger
	opts      Options
	strangers *strangers
	again     time.Duration // between two questions to the desk, should Changed say nothing
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		reply(w, http.StatusMethodNotAllowed, "only POST\n")
		return
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		h.log.Error("a bootstrap call has no address", "remote", r.RemoteAddr)
		reply(w, http.StatusServiceUnavailable, "try again later\n")
		return
	}
	address := from.Addr().Unmap()
	if !h.strangers.heard(address) {
		w.Header().Set("Retry-After", retrySeconds)
		reply(w, http.StatusTooManyRequests, "try again later\n")
		return
	}
	c := http.NewResponseController(w)
	// A writer without deadlines, in a test, has none to set.
	_ = c.SetReadDeadline(time.Now().Add(bodyTime))
	_ = c.SetWriteDeadline(time.Now().Add(bodyTime + h.opts.Hold + replyTime))
	call, err := read(w, r)
	if err != nil {
		h.strangers.refused(address)
		h.log.Info("a bootstrap call makes no sense", "address", address, "error", err)
		reply(w, http.StatusBadRequest, "bad call\n")
		return
	}
	call.Address = address.String()
	_ = c.SetReadDeadline(time.Time{})
	h.answer(r.Context(), w, call, address)
}

// answer asks the desk and says what it says.
func (h *handler) answer(ctx context.Context, w http.ResponseWriter, call nodes.Call, address netip.Addr) {
	began := time.Now()
	given, err := h.ask(ctx, call)
	if err == nil {
		err = checkHandover(given)
	}
	log := h.log.With("machine", call.Machine, "address", call.Address)
	switch {
	case err == nil:
		log.Info("machine has called in", "node", given.Name)
		reply(w, http.StatusOK, fmt.Sprintf("name=%s\nsecret=%s\nurl=%s\n", given.Name, given.Secret, given.URL))
	case errors.Is(err, nodes.ErrNotYet):
		reply(w, http.StatusAccepted, "nothing yet\n")
	case errors.Is(err, nodes.ErrStranger):
		h.strangers.refused(address)
		log.Info("a stranger has called in", "error", err)
		wait(ctx, time.Until(began.Add(refusalTime)), nil)
		reply(w, http.StatusUnauthorized, refusal)
	case errors.Is(err, nodes.ErrSpent):
		// Somebody else has the token that only this machine should have had.
		log.Warn("a bootstrap token was used by two callers")
		reply(w, http.StatusConflict, "token already used\n")
	case errors.Is(err, nodes.ErrOver):
		log.Info("a machine that is no longer wanted has called in")
		reply(w, http.StatusGone, "no longer wanted\n")
	default:
		log.Error("a bootstrap call could not be answered", "error", err)
		w.Header().Set("Retry-After", retrySeconds)
		reply(w, http.StatusServiceUnavailable, "try again later\n")
	}
}

// ask asks the desk until it has something to do for the machine.
func (h *handler) ask(ctx context.Context, call nodes.Call) (nodes.Handover, error) {
	until := time.Now().Add(h.opts.Hold)
	for {
		changed := h.opts.Changed() // before the desk looks, or a change in between is missed
		given, err := h.desk.CallIn(ctx, call)
		left := time.Until(until)
		if !errors.Is(err, nodes.ErrNotYet) || left <= 0 || !wait(ctx, min(left, h.again), changed) {
			return given, err
		}
	}
}

// wait waits for a time or for changed; false: ctx has ended.
func wait(ctx context.Context, d time.Duration, changed <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-t.C:
	}
	return true
}

// read takes a call from a request's body, never from its URL, which proxies
// write to their logs. Its errors hold no value of the call.
func read(w http.ResponseWriter, r *http.Request) (nodes.Call, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nodes.Call{}, errors.New("the body is not a form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		return nodes.Call{}, fmt.Errorf("read the body: %w", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nodes.Call{}, errors.New("the body is not a form")
	}
	var c nodes.Call
	for _, field := range []struct {
		name  string
		to    *string
		shape *regexp.Regexp
	}{{"token", &c.Token, tokenShape}, {"machine", &c.Machine, machineShape}, {"claim", &c.Claim, claimShape}} {
		if v := form[field.name]; len(v) != 1 || !field.shape.MatchString(v[0]) {
			return nodes.Call{}, fmt.Errorf("%s is missing, there twice, or of another shape", field.name)
		}
		*field.to = form.Get(field.name)
	}
	c.Proof = form.Get("proof")
	if len(form["proof"]) > 1 || !proofShape.MatchString(c.Proof) {
		return nodes.Call{}, errors.New("proof is there twice, or not base64")
	}
	return c, nil
}

var (
	nameShape       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	secretShape     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	controllerShape = regexp.MustCompile(`^https?://[A-Za-z0-9._~:/%@-]+$`)
)

// checkHandover refuses what the script would.
func checkHandover(given nodes.Handover) error {
	if !nameShape.MatchString(given.Name) || !secretShape.MatchString(given.Secret) || !controllerShape.MatchString(given.URL) {
		return fmt.Errorf("what node %q was to be handed has another shape than its script takes (controller %q)", given.Name, given.URL)
	}
	return nil
}

func reply(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	// A caller that has gone calls again.
	_, _ = io.WriteString(w, text)
}
