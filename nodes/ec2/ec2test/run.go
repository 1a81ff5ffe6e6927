package ec2test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ask is what a launch asks for.
type Ask struct {
	Type, Zone, Subnet string
	Market             string // "spot" or "on-demand"
	Reservation        string // ID of a capacity reservation, or ""
	Order              string // the client token
	Count              int    // MaxCount
}

// Room has f say how many machines a launch may get, and the error for one
// that gets fewer than its MinCount; nil: there is room for all. EC2 makes as
// many as it can, up to MaxCount (documented).
func (s *Server) Room(f func(Ask) (room int, code string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = f
}

// Refuse has f say which launches are accepted and then get no room: the code
// of the StateReason with which their machines go from pending to terminated
// (documented with DescribeInstances); "": they run.
func (s *Server) Refuse(f func(Ask) (reason string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = f
}

// machine is what moto does not know of a machine.
type machine struct {
	region   string
	launched time.Time
	reason   string // it is refused, and why
	ended    bool

	protected bool // from being terminated
	hidden    bool // as if it had just been launched
}

// token is what EC2 remembers of a client token. It is documented to be known
// for at least 24 hours after its instances' end.
type token struct {
	mu       sync.Mutex // held while the call is answered
	form     string
	answer   *reply // nil: no call has had effect
	machines []string
}

// run launches, once for each client token.
func (s *Server) run(req *request) *reply {
	if req.Form.Get("DryRun") == "true" {
		return s.forward(req, nil)
	}
	ask, err := s.ask(req)
	if err != nil {
		return internalError(err.Error())
	}
	if ask.Order == "" {
		return s.launch(req, ask, &token{})
	}
	// Documented: the scope is the zone where the call names one or a subnet,
	// else the region. The same token elsewhere launches anew.
	s.mu.Lock()
	key := req.Region + " " + ask.Zone + " " + ask.Order
	t := s.tokens[key]
	if t == nil {
		t = &token{}
		s.tokens[key] = t
	}
	s.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answer == nil {
		return s.launch(req, ask, t)
	}
	if t.form != parameters(req.Form) { // documented
		return errorReply(http.StatusBadRequest, "IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
	}
	if s.overWith(t) { // documented: the code; assumed: that it comes when all have ended, or any
		return errorReply(http.StatusBadRequest, "IdempotentInstanceTerminated", "The client token you have provided is associated with an instance that has been terminated.")
	}
	return t.answer
}

// parameters are what must be the same in a repetition.
func parameters(form url.Values) string {
	form = maps.Clone(form)
	form.Del("ClientToken")
	return form.Encode()
}

func (s *Server) overWith(t *token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := 0
	for _, id := range t.machines {
		if m := s.machines[id]; m.ended || m.reason != "" && s.Now().Sub(m.launched) >= s.b.Pending {
			over++
		}
	}
	return over == len(t.machines) || s.b.EndsAny && over > 0
}

// ask reads what a launch asks for.
func (s *Server) ask(req *request) (Ask, error) {
	f := req.Form
	a := Ask{Type: f.Get("InstanceType"), Subnet: f.Get("SubnetId"), Zone: f.Get("Placement.AvailabilityZone"), Market: "on-demand",
		Reservation: f.Get("CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"), Order: f.Get("ClientToken")}
	a.Count, _ = strconv.Atoi(f.Get("MaxCount")) // moto complains of what is no number
	if a.Subnet == "" {
		a.Subnet = f.Get("NetworkInterface.1.SubnetId")
	}
	if f.Get("InstanceMarketOptions.MarketType") == "spot" {
		a.Market = "spot"
	}
	if a.Zone == "" && a.Subnet != "" {
		zone, err := s.zoneOf(req, a.Subnet)
		if err != nil {
			return a, err
		}
		a.Zone = zone
	}
	return a, nil
}

// zoneOf asks moto for the zone of a subnet; "" where there is none such.
func (s *Server) zoneOf(req *request, subnet string) (string, error) {
	key := req.Region + " " + subnet
	s.mu.Lock()
	zone, known := s.zones[key]
	s.mu.Unlock()
	if known {
		return zone, nil
	}
	e, err := s.ask1(req, url.Values{"Action": {"DescribeSubnets"}, "Filter.1.Name": {"subnet-id"}, "Filter.1.Value.1": {subnet}})
	if err != nil {
		return "", err
	}
	for _, item := range e.items("subnetSet") {
		zone = item.text("availabilityZone")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones[key] = zone
	return zone, nil
}

// ask1 makes a call of our own, with the signature of req: moto looks only at
// the region in it.
func (s *Server) ask1(req *request, form url.Values) (*element, error) {
	form.Set("Version", "2016-11-15")
	answer := s.forward(req, form)
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("moto, %s: %d: %s", form.Get("Action"), answer.status, answer.body)
	}
	return parse(answer.body)
}

// launch makes machines, and remembers that it did. An error is not
// remembered (assumed): the next call with the token is as new.
func (s *Server) launch(req *request, ask Ask, t *token) *reply {
	s.mu.Lock()
	room, refuse := s.room, s.refuse
	s.mu.Unlock()
	count := ask.Count
	if room != nil {
		n, code := room(ask)
		least, _ := strconv.Atoi(req.Form.Get("MinCount"))
		if n < max(least, 1) {
			return errorReply(statusOf(code), code, "There is not enough for what you have asked.")
		}
		count = min(count, n)
	}
	form := maps.Clone(req.Form)
	form.Set("MinCount", strconv.Itoa(count)) // moto makes MinCount
	form.Set("MaxCount", strconv.Itoa(count))
	answer := s.forward(req, form)
	e, err := parse(answer.body)
	if answer.status != http.StatusOK || err != nil {
		return answer
	}
	reason := ""
	if refuse != nil {
		reason = refuse(ask)
	}
	s.tagInterfaces(req, e)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range e.items("instancesSet") {
		id := i.text("instanceId")
		t.machines = append(t.machines, id)
		s.machines[id] = &machine{region: req.Region, launched: s.Now(), reason: reason}
	}
	t.form, t.answer = parameters(req.Form), answer
	return answer
}

// tagInterfaces does what moto leaves out: it gives the machines' interfaces
// the tags that the launch has for them.
func (s *Server) tagInterfaces(req *request, e *element) {
	form := url.Values{"Action": {"CreateTags"}}
	for i := 1; req.Form.Has(fmt.Sprintf("TagSpecification.%d.ResourceType", i)); i++ {
		prefix := fmt.Sprintf("TagSpecification.%d.", i)
		if req.Form.Get(prefix+"ResourceType") != "network-interface" {
			continue
		}
		for key, value := range req.Form {
			if rest, ok := strings.CutPrefix(key, prefix+"Tag."); ok {
				form["Tag."+rest] = value
			}
		}
	}
	var ids []string
	for _, i := range e.items("instancesSet") {
		for _, n := range i.items("networkInterfaceSet") {
			ids = append(ids, n.text("networkInterfaceId"))
		}
	}
	if len(ids) == 0 || len(form) == 1 {
		return
	}
	for i, id := range ids {
		form.Set("ResourceId."+strconv.Itoa(i+1), id)
	}
	if _, err := s.ask1(req, form); err != nil {
		panic("ec2test: interfaces cannot be tagged: " + err.Error())
	}
}

// statusOf returns HTTP's status of an error. AWS' list has the lack of
// capacity among the server's errors.
func statusOf(code string) int {
	if slices.Contains([]string{"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientVolumeCapacity", "InsufficientAddressCapacity"}, code) {
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
