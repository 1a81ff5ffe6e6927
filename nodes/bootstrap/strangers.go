package bootstrap

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// strangers limits how often an address may be refused before it is not heard
// for a while, so that nobody can try tokens.
type strangers struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	by    map[netip.Prefix]*rate.Limiter
	swept time.Time // when the quiet ones were forgotten last
}

// maxStrangers bounds the memory that refused callers can take up.
const maxStrangers = 4096

func newStrangers(limit rate.Limit, burst int) *strangers {
	return &strangers{limit: limit, burst: burst, by: map[netip.Prefix]*rate.Limiter{}}
}

// network is what one caller has of addresses: one of IPv4, 2^64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a.WithZone(""), bits).Masked()
}

// heard reports whether calls of an address are looked at.
func (s *strangers) heard(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.by[network(a)]
	return l == nil || l.Tokens() >= 1
}

// refused counts one refusal of an address.
func (s *strangers) refused(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := network(a)
	l := s.by[key]
	if l == nil {
		s.makeRoom()
		l = rate.NewLimiter(s.limit, s.burst)
		s.by[key] = l
	}
	l.AllowN(time.Now(), 1)
}

// makeRoom forgets those that have been quiet, now and then, as a flood of
// addresses must not make each call look through all; else any one.
func (s *strangers) makeRoom() {
	if len(s.by) < maxStrangers {
		return
	}
	if now := time.Now(); now.Sub(s.swept) > time.Second {
		s.swept = now
		for key, l := range s.by {
			if l.TokensAt(now) >= float64(s.burst) {
				delete(s.by, key)
			}
		}
	}
	for key := range s.by {
		if len(s.by) < maxStrangers {
			return
		}
		delete(s.by, key)
	}
}
