package batches

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// part is a piece of a string that holds references: plain text, or one
// reference.
type part struct {
	text string // plain text; for a reference its source, for messages
	name string // of the variable or field; "" for plain text and for ports
	port *portRange

	hasDefault bool
	fallback   string // behind :-
}

// portRange is a {{port LOW HIGH}} or {{port LOW HIGH NAME}}.
type portRange struct {
	low, high int
	name      string // tells apart several ports of one job
}

// pick returns the job's number in the range: the same in every run, on every
// machine, and different for different jobs as far as the range allows.
func (r *portRange) pick(job string) int {
	sum := sha256.Sum256([]byte(job + "\x00" + r.name))
	return r.low + int(binary.BigEndian.Uint64(sum[:8])%uint64(r.high-r.low+1))
}

// parseReferences splits a string at its references. {{{{ stands for two
// plain braces.
func parseReferences(s string) ([]part, error) {
	var parts []part
	plain := ""
	for {
		before, rest, found := strings.Cut(s, "{{")
		plain += before
		if !found {
			break
		}
		if escaped, ok := strings.CutPrefix(rest, "{{"); ok {
			plain += "{{"
			s = escaped
			continue
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("{{ without a closing }}")
		}
		ref, err := parseReference(inner)
		if err != nil {
			return nil, err
		}
		if plain != "" {
			parts = append(parts, part{text: plain})
			plain = ""
		}
		parts = append(parts, ref)
		s = after
	}
	if plain != "" {
		parts = append(parts, part{text: plain})
	}
	return parts, nil
}

func parseReference(inner string) (part, error) {
	p := part{text: "{{" + inner + "}}"}
	name, fallback, hasDefault := strings.Cut(inner, ":-")
	words := strings.Fields(name)
	if len(words) > 0 && words[0] == "port" && !hasDefault && len(words) > 1 {
		var err error
		p.port, err = parsePort(words[1:])
		return p, err
	}
	if len(words) != 1 || !isReferenceName(words[0]) {
		return p, fmt.Errorf("%s is no reference: it takes a name, {{NAME:-default}} or {{port LOW HIGH}}", p.text)
	}
	p.name, p.hasDefault, p.fallback = words[0], hasDefault, fallback
	return p, nil
}

func parsePort(words []string) (*portRange, error) {
	if len(words) < 2 || len(words) > 3 {
		return nil, fmt.Errorf("port takes two numbers and, for a second port of a job, a name: {{port 10000 20000}}")
	}
	low, err1 := strconv.Atoi(words[0])
	high, err2 := strconv.Atoi(words[1])
	if err1 != nil || err2 != nil || low < 1 || high > 65535 || low > high {
		return nil, fmt.Errorf("{{port %s %s}} is no range of ports; they go from 1 to 65535, the lower one first", words[0], words[1])
	}
	r := &portRange{low: low, high: high}
	if len(words) == 3 {
		r.name = words[2]
	}
	return r, nil
}

// isReferenceName reports whether s can name a variable (NAME) or a field
// (java.version, env.TZ).
func isReferenceName(s string) bool {
	for _, step := range strings.Split(s, ".") {
		if step == "" {
			return false
		}
		for _, c := range step {
			if c != '_' && c != '-' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}
