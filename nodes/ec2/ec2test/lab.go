package ec2test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// Reservation is a capacity reservation, which moto does not have.
type Reservation struct {
	ID, Type, Zone string
	Free           int
}

// Reserve sets the capacity reservations that there are, in all regions.
func (s *Server) Reserve(all ...Reservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved = all
}

func (s *Server) reservations(req *request) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := node("capacityReservationSet")
	for _, id := range numbered(req.Form, "CapacityReservationId") {
		found := false
		for _, r := range s.reserved {
			if r.ID != id {
				continue
			}
			found = true
			item := node("item")
			item.set(r.ID, "capacityReservationId")
			item.set(r.Type, "instanceType")
			item.set(r.Zone, "availabilityZone")
			item.set("active", "state")
			item.set(strconv.Itoa(r.Free), "availableInstanceCount")
			set.Children = append(set.Children, item)
		}
		if !found {
			return errorReply(http.StatusBadRequest, "InvalidCapacityReservationId.NotFound", "The capacity reservation '"+id+"' does not exist.")
		}
	}
	out := node("DescribeCapacityReservationsResponse", set)
	out.XMLName.Space = "http://ec2.amazonaws.com/doc/2016-11-15/"
	return &reply{http.StatusOK, "text/xml", out.bytes()}
}

// Do makes a call of EC2 past all rules and faults, as somebody else in the
// account might, and returns its answer's texts by their way:
// Do(…)("subnetSet", "item", "subnetId") is the first subnet's ID.
func (s *Server) Do(region string, form url.Values) (first func(way ...string) string, err error) {
	r, err := http.NewRequest(http.MethodPost, s.moto+"/", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	// moto reads the region of it, and checks nothing.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=lab/20200101/"+region+"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	e, err := s.ask1(&request{Call: Call{Region: region}, http: r}, form)
	if err != nil {
		return nil, err
	}
	return e.text, nil
}

// Subnets returns the subnets of the default network, by zone.
func (s *Server) Subnets(region string) (map[string]string, error) {
	subnets := map[string]string{}
	for _, zone := range []string{"a", "b", "c"} {
		first, err := s.Do(region, url.Values{"Action": {"DescribeSubnets"}, "Filter.1.Name": {"availability-zone"}, "Filter.1.Value.1": {region + zone}})
		if err != nil {
			return nil, err
		}
		subnets[region+zone] = first("subnetSet", "item", "subnetId")
	}
	return subnets, nil
}

// Kill ends a machine as its own shutdown would.
func (s *Server) Kill(region, id string) error {
	s.mu.Lock()
	if m := s.machines[id]; m != nil {
		m.ended = true
	}
	s.mu.Unlock()
	_, err := s.Do(region, url.Values{"Action": {"TerminateInstances"}, "InstanceId.1": {id}})
	return err
}

// Protect switches a machine's termination protection.
func (s *Server) Protect(id string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machines[id]
	if m == nil {
		return fmt.Errorf("there is no machine %s", id)
	}
	m.protected = on
	return nil
}

// Hide has the cloud not show a machine, as it may for a while after its
// launch.
func (s *Server) Hide(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.machines[id]; m != nil {
		m.hidden = on
	}
}

// Leave has a machine's root volume last longer than the machine.
func (s *Server) Leave(region, id, device string) error {
	_, err := s.Do(region, url.Values{"Action": {"ModifyInstanceAttribute"}, "InstanceId": {id},
		"BlockDeviceMapping.1.DeviceName": {device}, "BlockDeviceMapping.1.Ebs.DeleteOnTermination": {"false"}})
	return err
}

// Interface makes a free network interface with tags.
func (s *Server) Interface(region, subnet string, tags map[string]string) (id string, err error) {
	first, err := s.Do(region, url.Values{"Action": {"CreateNetworkInterface"}, "SubnetId": {subnet}})
	if err != nil {
		return "", err
	}
	id = first("networkInterface", "networkInterfaceId")
	return id, s.tag(region, id, tags)
}

// Volume makes a free volume with tags.
func (s *Server) Volume(region, zone string, tags map[string]string) (id string, err error) {
	first, err := s.Do(region, url.Values{"Action": {"CreateVolume"}, "AvailabilityZone": {zone}, "Size": {"1"}})
	if err != nil {
		return "", err
	}
	id = first("volumeId")
	return id, s.tag(region, id, tags)
}

func (s *Server) tag(region, id string, tags map[string]string) error {
	form := url.Values{"Action": {"CreateTags"}, "ResourceId.1": {id}}
	n := 0
	for k, v := range tags {
		n++
		form.Set(fmt.Sprintf("Tag.%d.Key", n), k)
		form.Set(fmt.Sprintf("Tag.%d.Value", n), v)
	}
	_, err := s.Do(region, form)
	return err
}

// Forget has the cloud show no more machines that ended so, as it does after
// about an hour (documented for terminated ones).
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.machines {
		if m.reason != "" && m.ended {
			m.reason = ""
		}
	}
}
