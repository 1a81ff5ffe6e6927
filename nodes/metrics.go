package nodes

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what the reconciler does. A nil *Metrics counts nothing.
type Metrics struct {
	leases    *prometheus.GaugeVec
	pass      prometheus.Histogram
	looks     *prometheus.HistogramVec
	failures  *prometheus.CounterVec
	launches  *prometheus.CounterVec
	seenSent  prometheus.Histogram
	boot      *prometheus.HistogramVec
	waited    *prometheus.HistogramVec
	ends      *prometheus.CounterVec
	orphans   *prometheus.CounterVec
	lastLooks *prometheus.GaugeVec
	dollars   *prometheus.GaugeVec
}

// waits are the buckets for waits of people and machines, in seconds.
var waits = []float64{.1, .25, .5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800}

// NewMetrics registers the reconciler's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		leases:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "provisioner_leases", Help: "Leases that are not gone, by pool and state."}, []string{"pool", "state"}),
		pass:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "provisioner_pass_seconds", Help: "Time to decide for all leases once.", Buckets: prometheus.DefBuckets}),
		looks:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "provisioner_look_seconds", Help: "Time of one look at a cloud or a controller.", Buckets: prometheus.DefBuckets}, []string{"kind", "name"}),
		failures:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provisioner_failures_total", Help: "Calls that a cloud or a controller did not answer as asked, by what was tried."}, []string{"kind", "name", "what"}),
		launches:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provisioner_orders_total", Help: "Orders sent to a cloud, by outcome."}, []string{"cloud", "outcome"}),
		seenSent:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "provisioner_seen_to_order_seconds", Help: "Time from a run being seen in the queue until its order was sent.", Buckets: waits}),
		boot:      prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "provisioner_boot_seconds", Help: "Time from an order until the machine called in.", Buckets: waits}, []string{"pool"}),
		waited:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "provisioner_run_wait_seconds", Help: "Time from a run being seen in the queue until it was on its machine; 0 where the machine was made ahead.", Buckets: append([]float64{0}, waits...)}, []string{"pool"}),
		ends:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provisioner_leases_ended_total", Help: "Leases that ended, by pool and how: served, refused, foreign, overdue, unused, crowded or failed."}, []string{"pool", "how"}),
		orphans:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "provisioner_orphans_total", Help: "Tries to take away machines and nodes of ours that no lease has."}, []string{"kind"}),
		lastLooks: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "provisioner_last_look_timestamp_seconds", Help: "When a cloud or a controller answered a look last."}, []string{"kind", "name"}),
		dollars:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "provisioner_machines_dollars_per_hour", Help: "What the machines of live leases cost, where prices are known."}, []string{"cloud"}),
	}
	reg.MustRegister(m.leases, m.pass, m.looks, m.failures, m.launches, m.seenSent, m.boot, m.waited, m.ends, m.orphans, m.lastLooks, m.dollars)
	return m
}

func (m *Metrics) passed(leases []Lease, took time.Duration) {
	if m == nil {
		return
	}
	m.pass.Observe(took.Seconds())
	m.leases.Reset()
	m.dollars.Reset()
	for i := range leases {
		l := &leases[i]
		m.leases.WithLabelValues(l.Pool, string(l.State)).Inc()
		if l.VM != "" && l.Price > 0 {
			m.dollars.WithLabelValues(l.Cloud).Add(l.Price)
		}
	}
}

func (m *Metrics) looked(kind, name string, err error, took time.Duration) {
	if m == nil {
		return
	}
	m.looks.WithLabelValues(kind, name).Observe(took.Seconds())
	if err != nil {
		m.failed(kind, name, "look")
		return
	}
	m.lastLooks.WithLabelValues(kind, name).SetToCurrentTime()
}

func (m *Metrics) failed(kind, name, what string) {
	if m != nil {
		m.failures.WithLabelValues(kind, name, what).Inc()
	}
}

func (m *Metrics) launched(cloud string, err error) {
	if m == nil {
		return
	}
	outcome := "accepted"
	if err != nil {
		if outcome = string(ClassOf(err)); outcome == "" {
			outcome = "unsure"
		}
	}
	m.launches.WithLabelValues(cloud, outcome).Inc()
}

func (m *Metrics) orphan(kind string) {
	if m != nil {
		m.orphans.WithLabelValues(kind).Inc()
	}
}

// sent counts the first order of a lease whose run waits.
func (m *Metrics) sent(l *Lease, now time.Time) {
	if m != nil && !l.Seen.IsZero() && l.Tries == 0 {
		m.seenSent.Observe(now.Sub(l.Seen).Seconds())
	}
}

// moved counts what a change of state tells.
func (m *Metrics) moved(old, l Lease) {
	if m == nil || old.State == l.State {
		return
	}
	switch l.State {
	case Ready:
		m.boot.WithLabelValues(l.Pool).Observe(l.Since.Sub(l.Ordered).Seconds())
	case Busy:
		wait := 0.0
		if !l.Seen.IsZero() {
			wait = l.Since.Sub(l.Seen).Seconds()
		}
		m.waited.WithLabelValues(l.Pool).Observe(wait)
	case Gone:
		m.ends.WithLabelValues(l.Pool, l.how()).Inc()
	}
}

// know makes the counters of a pool, so that their first increase shows.
func (m *Metrics) know(pool string) {
	if m == nil {
		return
	}
	for _, how := range []string{"served", "refused", "foreign", "overdue", "unused", "crowded", "failed"} {
		m.ends.WithLabelValues(pool, how)
	}
}

// how says in one word how a lease ended.
func (l *Lease) how() string {
	switch {
	case l.Foreign != "":
		return "foreign"
	case l.Refused:
		return "refused"
	case l.Overdue:
		return "overdue"
	case l.Delivered:
		return "served"
	case l.Crowded:
		return "crowded"
	case l.Spare() || l.Early() || l.Order == "":
		return "unused"
	}
	return "failed"
}
