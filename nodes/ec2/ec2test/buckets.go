package ec2test

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tokenBucket is one of EC2's: it is filled again by refill a second.
type tokenBucket struct {
	size, refill, left float64
	at                 time.Time
}

// EC2's buckets for each account and region, documented ("Request throttling
// for the Amazon EC2 API"). Each Describe action has its own.
var (
	callSizes = map[string][2]float64{
		"RunInstances": {5, 2}, "TerminateInstances": {100, 5},
		"CreateTags": {100, 10}, "DeleteVolume": {100, 5}, "DeleteNetworkInterface": {100, 5},
	}
	instanceSizes = map[string][2]float64{"RunInstances": {1000, 2}, "TerminateInstances": {1000, 20}}
	describeSize  = [2]float64{100, 20}
	wholeListSize = [2]float64{50, 10} // DescribeInstances without filter, IDs or pages
)

// throttle takes a call's tokens, or refuses it: before its parameters or its
// client token are looked at (assumed).
func (s *Server) throttle(req *request) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.b.Buckets || req.Form == nil {
		return nil
	}
	size, ok := callSizes[req.Action]
	if !ok {
		size = describeSize
		if req.Action == "DescribeInstances" && req.Form.Get("MaxResults") == "" && len(numbered(req.Form, "InstanceId")) == 0 && req.Form.Get("Filter.1.Name") == "" {
			size = wholeListSize
		}
	}
	enough := s.take(req.Region+" "+req.Action, size, 1)
	if size, ok := instanceSizes[req.Action]; ok && enough {
		n := float64(len(numbered(req.Form, "InstanceId")))
		if req.Action == "RunInstances" {
			n, _ = strconv.ParseFloat(req.Form.Get("MaxCount"), 64) // moto complains of what is no number
		}
		enough = s.take(req.Region+" "+req.Action+" instances", size, n)
	}
	if enough {
		return nil
	}
	return errorReply(http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
}

// take takes n from a bucket, if it has as many.
func (s *Server) take(name string, size [2]float64, n float64) bool {
	now := s.Now()
	b := s.buckets[name]
	if b == nil {
		b = &tokenBucket{size: size[0], refill: size[1], left: size[0], at: now}
		s.buckets[name] = b
	}
	b.left = min(b.size, b.left+now.Sub(b.at).Seconds()*b.refill)
	b.at = now
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// numbered returns the values of NAME.1, NAME.2 and so on.
func numbered(form map[string][]string, name string) []string {
	var all []string
	for i := 1; ; i++ {
		v, ok := form[name+"."+strconv.Itoa(i)]
		if !ok {
			return all
		}
		all = append(all, strings.Join(v, ""))
	}
}
