package jenkinstest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// routeConfig serves a node's config.xml: read with Agent/ExtendedRead, which
// Agent/Configure implies, written with that.
func (s *Server) routeConfig(q *request, c *computer) {
	if q.Method != http.MethodPost {
		if q.user.may(AgentConfigure) || q.allowed(agentExtendedRead) {
			q.w.Header().Set("Content-Type", "application/xml")
			io.WriteString(q.w, c.config())
		}
		return
	}
	if !q.allowed(AgentConfigure) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	if err != nil {
		q.refuse(http.StatusBadRequest, "")
		return
	}
	// Go's decoder does not read XML 1.1, and the label is all that counts.
	labels := ""
	if found := labelElement.FindSubmatch(body); found != nil {
		labels = string(found[1])
	}
	s.relabel(c, strings.Fields(labels))
}

var labelElement = regexp.MustCompile(`<label>([^<]*)</label>`)

// config is the node's config.xml.
func (c *computer) config() string {
	escape := func(text string) string {
		var b strings.Builder
		xml.EscapeText(&b, []byte(text)) // a Builder takes all
		return b.String()
	}
	return fmt.Sprintf(`<?xml version="1.1" encoding="UTF-8"?>
<slave>
  <name>%s</name>
  <description>%s</description>
  <remoteFS>%s</remoteFS>
  <numExecutors>1</numExecutors>
  <mode>EXCLUSIVE</mode>
  <retentionStrategy class="hudson.slaves.RetentionStrategy$Always"/>
  <launcher class="hudson.slaves.JNLPLauncher"/>
  <label>%s</label>
  <nodeProperties/>
</slave>`, escape(c.name), escape(c.description), escape(c.remoteFS), escape(strings.Join(c.labels[:len(c.labels)-1], " ")))
}

// relabel changes a node's labels; its own name stays one. The run that is on
// it goes on.
func (s *Server) relabel(c *computer, labels []string) {
	s.withdraw(c)
	c.labels = append(labels, c.name)
	s.offer(c)
	s.dirty = append(s.dirty, c.labels...)
}

// offer lets what waits for a node's labels find it.
func (s *Server) offer(c *computer) {
	for _, label := range c.labels {
		d := s.demand(label)
		d.computers = append(d.computers, c)
	}
}

// withdraw undoes offer.
func (s *Server) withdraw(c *computer) {
	for _, label := range c.labels {
		d := s.demand(label)
		d.computers = slices.DeleteFunc(d.computers, func(o *computer) bool { return o == c })
		s.tidy(label)
	}
}
