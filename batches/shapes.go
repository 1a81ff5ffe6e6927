package batches

import (
	"fmt"
	"net/url"
	"strings"
)

// The shapes below are what schemas are built of.

func boolean(doc string) *schema { return &schema{kinds: kinds(boolKind), doc: doc, example: "true"} }

func integer(doc string, low, high int64, example string) *schema {
	return &schema{kinds: kinds(intKind), doc: doc, min: low, max: high, example: example}
}

func enum(doc string, names ...string) *schema {
	return &schema{kinds: kinds(stringKind), doc: doc, enum: names, example: names[0]}
}

func list(doc string, items *schema) *schema {
	return &schema{kinds: kinds(listKind), doc: doc, items: items}
}

// oneOrMore takes a list, or a single item in its place.
func oneOrMore(doc string, items *schema) *schema {
	return &schema{kinds: kinds(listKind) | items.kinds, doc: doc, items: items,
		check: items.check, format: items.format, enum: items.enum, pattern: items.pattern, example: items.example}
}

func object(doc string, fields ...field) *schema {
	return &schema{kinds: kinds(mapKind), doc: doc, fields: fields}
}

// likeThis gives a schema an example, for hints.
func likeThis(example string, s *schema) *schema {
	s.example = example
	return s
}

// likeDoc gives a schema another sentence.
func likeDoc(doc string, s *schema) *schema {
	s.doc = doc
	return s
}

// table is a map with free keys.
func table(doc string, key func(string) error, values *schema) *schema {
	return &schema{kinds: kinds(mapKind), doc: doc, key: key, values: values}
}

// anyMap is a map of anything.
func anyMap(doc string) *schema { return &schema{kinds: kinds(mapKind), doc: doc} }

// formatted is a string of a certain form.
func formatted(doc, format, pattern, example string, check func(string) error) *schema {
	return &schema{kinds: kinds(stringKind), doc: doc, format: format, pattern: pattern, example: example, check: check}
}

func (f field) must() field { f.required = true; return f }

func (f field) orElse(def string) field { f.def = def; return f }

func is(name string, s *schema) field { return field{name: name, schema: s} }

func duration(doc, example string) *schema {
	return formatted(doc, "duration", `^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`, example, func(s string) error {
		_, err := ParseDuration(s)
		return err
	})
}

func size(doc, example string) *schema {
	return formatted(doc, "size", `^[1-9][0-9]*(Ki|Mi|Gi|Ti)$`, example, func(s string) error {
		_, err := ParseSize(s)
		return err
	})
}

// name is a part of a job's path. Jenkins takes more, but these names are
// safe in paths, labels and shells, and cannot differ by case alone.
func name(doc, example string) *schema {
	return formatted(doc, "name", `^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`, example, CheckName)
}

// CheckName says why a text is no name of a layer, a batch or a rollout, or
// returns nil.
func CheckName(s string) error {
	ok := s != "" && len(s) <= 100
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		inner := i > 0 && i < len(s)-1 && strings.ContainsRune("._-", c)
		ok = ok && (letter || inner)
	}
	if !ok {
		return fmt.Errorf("%q is no name here; it takes a-z, 0-9 and, inside, the signs . _ -, 100 characters at most", s)
	}
	return nil
}

// oneLine is a text without line breaks and control characters.
func oneLine(doc, example string) *schema {
	return formatted(doc, "line", "", example, func(s string) error {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%q holds a line break or another control character", s)
		}
		return nil
	})
}

// text may hold line breaks and tabs, but no other control characters:
// Jenkins stores jobs as XML, which cannot hold them.
func text(doc, example string) *schema {
	return formatted(doc, "text", "", example, checkText)
}

const maxText = 64 << 10

func checkText(s string) error {
	if len(s) > maxText {
		return fmt.Errorf("this text has %d bytes; 64 KiB is the most", len(s))
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return fmt.Errorf("this text holds the control character %U, which Jenkins cannot store", r)
		}
	}
	return nil
}

// relativePath is a path below the working directory of a run.
func relativePath(doc, example string) *schema {
	return formatted(doc, "path", `^[^/].*`, example, func(s string) error {
		if s == "" || strings.HasPrefix(s, "/") || strings.Contains("/"+s+"/", "/../") {
			return fmt.Errorf("%q is no path below the working directory", s)
		}
		return checkText(s)
	})
}

// nodePath is an absolute path on a node.
func nodePath(doc, example string) *schema {
	return formatted(doc, "path", `^/`, example, func(s string) error {
		if !strings.HasPrefix(s, "/") {
			return fmt.Errorf("%q is no absolute path", s)
		}
		return checkText(s)
	})
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("%q is no URL", s)
	}
	if u.User != nil {
		return fmt.Errorf("the URL holds a user name or password; put them into a Jenkins credential and name it under artifact.credentials")
	}
	switch u.Scheme {
	case "https", "http":
		if u.Host == "" {
			return fmt.Errorf("%q names no host", s)
		}
	case "file":
	default:
		return fmt.Errorf("%q: nodes fetch by https, http and file, not by %s", s, u.Scheme)
	}
	return nil
}

// envName is the name of an environment variable that a tree may set. The
// refused ones change the shell or the JVM behind the back of every check.
func envName(s string) error {
	if !isEnvName(s) {
		return fmt.Errorf("%q is no name of a variable; it takes letters, digits and _, and begins with no digit", s)
	}
	switch s {
	case "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS":
		return fmt.Errorf("%s would slip JVM options past the checks; write them under java.options", s)
	case "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4":
		return fmt.Errorf("%s changes how the shell reads the run's scripts, so it cannot be set", s)
	}
	if strings.HasPrefix(strings.ToUpper(s), "BATCH_") {
		return fmt.Errorf("%s: names that begin with BATCH_ are the run's own", s)
	}
	return nil
}

// inputName is the name of an environment variable that somebody may set for
// one run, or that holds a secret. It must not change what the run starts.
func inputName(s string) error {
	switch s {
	case "PATH", "HOME", "JAVA_HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "WORKSPACE":
		return fmt.Errorf("%s changes what the run starts, so it is no name for this", s)
	}
	return envName(s)
}

// credential is the id of a Jenkins credential. What is wrong with one is
// never shown: it may be the secret itself, put there by mistake.
func credential(doc, example string) *schema {
	return formatted(doc, "credential id", "^[A-Za-z0-9._-]+$", example, func(s string) error {
		if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
			return fmt.Errorf("this is no id of a Jenkins credential (letters, digits and . _ - only); a secret itself must never stand in the tree")
		}
		return nil
	})
}

// refers checks the ${NAME} references of a text.
func refers(doc, example string) *schema {
	return formatted(doc, "reference", "", example, func(s string) error {
		if err := checkText(s); err != nil {
			return err
		}
		_, err := Pieces(s)
		return err
	})
}
