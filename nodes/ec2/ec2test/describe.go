package ec2test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// entry is an instance of a list with the reservation that it is shown in.
type entry struct{ reservation, instance *element }

// describe lists instances as EC2 would: late, pending first, and in pages of
// instances.
func (s *Server) describe(req *request) *reply {
	s.endRefused(req)
	if next := req.Form.Get("NextToken"); next != "" {
		s.mu.Lock()
		rest, ok := s.pages[next]
		delete(s.pages, next)
		s.mu.Unlock()
		if !ok {
			return errorReply(http.StatusBadRequest, "InvalidParameterValue", "Unable to parse pagination token.")
		}
		return s.page(req, rest)
	}
	all, answer := s.entries(req)
	if answer != nil {
		return answer
	}
	return s.page(req, all)
}

// entries asks moto for all that a call asks for.
func (s *Server) entries(req *request) ([]entry, *reply) {
	form := maps.Clone(req.Form)
	form.Set("MaxResults", "1000")
	reasons := filterValues(form, "state-reason-code")
	if reasons != nil {
		// moto knows no reasons but one: the refused machines are asked for
		// by ID.
		ids := s.refused(req.Region)
		if len(ids) == 0 {
			return nil, nil
		}
		form = url.Values{"Action": {"DescribeInstances"}, "Version": form["Version"]}
		for i, id := range ids {
			form.Set("InstanceId."+strconv.Itoa(i+1), id)
		}
	}
	if form.Has("InstanceId.1") {
		form.Del("MaxResults")
	}
	var all []entry
	for {
		answer := s.forward(req, form)
		e, err := parse(answer.body)
		if answer.status != http.StatusOK || err != nil {
			return nil, answer
		}
		for _, r := range e.items("reservationSet") {
			for _, i := range r.items("instancesSet") {
				if s.show(i) && (reasons == nil || s.matches(req.Form, i, reasons)) {
					all = append(all, entry{r, i})
				}
			}
		}
		if form.Set("NextToken", e.text("nextToken")); form.Get("NextToken") == "" {
			return all, nil
		}
	}
}

// show changes an instance to how EC2 shows it now, and reports whether it
// shows it at all.
func (s *Server) show(i *element) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machines[i.text("instanceId")]
	if m == nil {
		return true // it was not made through us
	}
	age := s.Now().Sub(m.launched)
	if age < s.b.Hidden || m.hidden {
		return false
	}
	if age < s.b.Pending && i.text("instanceState", "name") == "running" {
		i.set("0", "instanceState", "code")
		i.set("pending", "instanceState", "name")
	}
	if m.reason != "" && m.ended {
		i.set(m.reason, "stateReason", "code")
		i.set(m.reason+": no room", "stateReason", "message")
	}
	return true
}

// matches applies the filters that moto was not given.
func (s *Server) matches(form url.Values, i *element, reasons []string) bool {
	if !slices.Contains(reasons, i.text("stateReason", "code")) {
		return false
	}
	if states := filterValues(form, "instance-state-name"); states != nil && !slices.Contains(states, i.text("instanceState", "name")) {
		return false
	}
	for n := 1; form.Has(fmt.Sprintf("Filter.%d.Name", n)); n++ {
		name := form.Get(fmt.Sprintf("Filter.%d.Name", n))
		if key, ok := strings.CutPrefix(name, "tag:"); ok && !slices.Contains(filterValues(form, name), tagOf(i, key)) {
			return false
		}
	}
	return true
}

func tagOf(i *element, key string) string {
	for _, t := range i.items("tagSet") {
		if t.text("key") == key {
			return t.text("value")
		}
	}
	return ""
}

// filterValues returns the values of a filter; nil: there is none.
func filterValues(form url.Values, name string) []string {
	for n := 1; form.Has(fmt.Sprintf("Filter.%d.Name", n)); n++ {
		if form.Get(fmt.Sprintf("Filter.%d.Name", n)) == name {
			return numbered(form, fmt.Sprintf("Filter.%d.Value", n))
		}
	}
	return nil
}

// page answers with the first of all, and keeps the rest for the next call.
// A page counts instances, and a reservation may be on two (documented: "the
// maximum number of items").
func (s *Server) page(req *request, all []entry) *reply {
	s.mu.Lock()
	size := s.b.Page
	if n, err := strconv.Atoi(req.Form.Get("MaxResults")); err == nil && (size == 0 || n < size) {
		size = n
	}
	next := ""
	var rest []entry
	if size > 0 && len(all) > size {
		all, rest = all[:size], all[size:]
		next = fmt.Sprintf("page-%d-%d", len(s.calls), len(rest))
		s.pages[next] = rest
	}
	s.mu.Unlock()
	set := node("reservationSet")
	for _, e := range all {
		r := node("item")
		for _, c := range e.reservation.Children {
			if c.XMLName.Local == "instancesSet" {
				c = node("instancesSet", e.instance)
			}
			r.Children = append(r.Children, c)
		}
		set.Children = append(set.Children, r)
	}
	id := node("requestId")
	id.Text = "ec2test"
	out := node("DescribeInstancesResponse", id, set)
	out.XMLName.Space = "http://ec2.amazonaws.com/doc/2016-11-15/"
	if next != "" {
		out.set(next, "nextToken")
	}
	return &reply{http.StatusOK, "text/xml", out.bytes()}
}

// refused returns the IDs of the machines that have ended so.
func (s *Server) refused(region string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.machines)) {
		if m := s.machines[id]; m.region == region && m.reason != "" && m.ended {
			ids = append(ids, id)
		}
	}
	return ids
}

// endRefused ends the refused machines whose time has come.
func (s *Server) endRefused(req *request) {
	s.mu.Lock()
	form := url.Values{"Action": {"TerminateInstances"}}
	var due []*machine
	for id, m := range s.machines {
		if m.region == req.Region && m.reason != "" && !m.ended && s.Now().Sub(m.launched) >= s.b.Pending {
			due = append(due, m)
			form.Set("InstanceId."+strconv.Itoa(len(due)), id)
		}
	}
	s.mu.Unlock()
	if len(due) == 0 {
		return
	}
	if _, err := s.ask1(req, form); err != nil {
		panic("ec2test: refused machines cannot be ended: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range due {
		m.ended = true
	}
}

// terminate ends instances. Documented: one that is not shown yet is not
// there, and where one of a call is not there none of it is ended (assumed).
func (s *Server) terminate(req *request) *reply {
	s.mu.Lock()
	ids := numbered(req.Form, "InstanceId")
	var hidden []string
	for _, id := range ids {
		if m := s.machines[id]; m != nil && (m.hidden || s.Now().Sub(m.launched) < s.b.Hidden) {
			hidden = append(hidden, id)
		}
	}
	s.mu.Unlock()
	if len(hidden) == 1 {
		return errorReply(http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance ID '"+hidden[0]+"' does not exist")
	}
	if len(hidden) > 1 {
		return errorReply(http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance IDs '"+strings.Join(hidden, ", ")+"' do not exist")
	}
	return s.end(req, ids)
}

// end has moto end those of ids that have not ended. It must not be asked
// again for the others: it misses the interface that it has deleted with them.
// EC2's answer is the same for all (documented: TerminateInstances is
// idempotent).
func (s *Server) end(req *request, ids []string) *reply {
	form := url.Values{"Action": {"TerminateInstances"}, "Version": req.Form["Version"]}
	var going []string
	s.mu.Lock()
	for _, id := range ids {
		if m := s.machines[id]; m != nil && m.protected { // documented: none of the zone's is ended then; moto ends those before it
			s.mu.Unlock()
			return errorReply(http.StatusBadRequest, "OperationNotPermitted",
				"The instance '"+id+"' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.")
		}
		if m := s.machines[id]; m == nil || !m.ended {
			going = append(going, id)
			form.Set("InstanceId."+strconv.Itoa(len(going)), id)
		}
	}
	s.mu.Unlock()
	if len(going) == 0 {
		return &reply{http.StatusOK, "text/xml", []byte(`<TerminateInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instancesSet/></TerminateInstancesResponse>`)}
	}
	answer := s.forward(req, form)
	if answer.status != http.StatusOK {
		return answer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range going {
		if m := s.machines[id]; m != nil {
			m.ended, m.reason = true, "" // it was not refused: it was ended before
		}
	}
	return answer
}
