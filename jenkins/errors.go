package jenkins

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// What an *Error is, for errors.Is.
var (
	// ErrNotFound: Jenkins says that it does not have the thing, or that the
	// user may not even see it: Jenkins answers 404 in both cases.
	ErrNotFound = errors.New("not found")
	// ErrExists: a node of that name is there already.
	ErrExists = errors.New("exists already")
	// ErrForbidden: the user lacks a permission.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthorized: wrong user or token. A Jenkins that starts answers so
	// for a moment to a valid token too, before it has loaded its users; so
	// it is final only when it stays.
	ErrUnauthorized = errors.New("wrong user or token")
	// ErrUnavailable: no answer, a broken connection, or one of 502, 503 and
	// 504: Jenkins is down, starting, or slower than the timeout. Whether a
	// change took effect is not known.
	ErrUnavailable = errors.New("unavailable")
	// ErrRestarted: the controller was restarted between two calls of one Look.
	ErrRestarted = errors.New("restarted in between")
	// ErrTooLarge: the answer is longer than the client reads.
	ErrTooLarge = errors.New("answer too large")
	// ErrGarbage: the answer is not Jenkins' answer to the question: a login
	// page, a proxy's page, cut-off JSON, JSON without the field asked for.
	ErrGarbage = errors.New("not an answer of Jenkins")
)

// An Error is a call that did not do what it was asked.
type Error struct {
	URL        string // of the controller, without user and query
	Op         string // what was tried, and on what: `create node "b-4f…-12"`
	Status     int    // of HTTP; 0: there was no answer
	Message    string // what Jenkins says, at most 200 characters
	Permission string // id of the permission that the user lacks, as in X-Required-Permission
	Err        error  // what it is for errors.Is: one of the Err… of this package, or the context's error
	user       string
}

// Error says where, what, and what can be done about it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Jenkins %s: %s: ", e.URL, e.Op)
	if e.Status != 0 {
		b.WriteString(strconv.Itoa(e.Status) + " ")
	}
	b.WriteString(e.Err.Error())
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	switch {
	case errors.Is(e.Err, ErrForbidden) && e.Permission != "":
		fmt.Fprintf(&b, ": user %q lacks %s (%s): grant it in Manage Jenkins > Security", e.user, permissionName(e.Permission), e.Permission)
	case errors.Is(e.Err, ErrForbidden):
		fmt.Fprintf(&b, ": user %q may not do this: see Manage Jenkins > Security; with a password instead of an API token Jenkins wants a crumb", e.user)
	case errors.Is(e.Err, ErrUnauthorized):
		fmt.Fprintf(&b, ": Jenkins does not take the token of user %q: make a new one on the user's Security page; if Jenkins is just starting, wait", e.user)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// errorOf is the error of a call with an answer that is not its success.
func (c *Client) errorOf(a *answer) *Error {
	e := &Error{URL: c.base, user: c.user, Status: a.status, Permission: a.header.Get("X-Required-Permission"), Message: c.scrub(a.message())}
	switch {
	case a.status < 300:
		e.Err = ErrGarbage
	case a.status == http.StatusUnauthorized:
		e.Err, e.Message = ErrUnauthorized, ""
	case a.status == http.StatusForbidden:
		e.Err = ErrForbidden
		if e.Permission != "" {
			e.Message = ""
		}
	case a.status == http.StatusNotFound:
		// A page of 20 to 90 kB that says "Oops".
		e.Err, e.Message = ErrNotFound, ""
	case a.status == http.StatusBadRequest && strings.HasSuffix(a.header.Get("X-Error"), "already exists"):
		e.Err = ErrExists
	case a.status == http.StatusBadGateway, a.status == http.StatusServiceUnavailable, a.status == http.StatusGatewayTimeout:
		e.Err = ErrUnavailable
	case a.status >= 300 && a.status < 400:
		e.Err = ErrGarbage
		e.Message = "it sends us to " + place(a.header.Get("Location")) + ": a login page, or another URL of this Jenkins, which then has to be given"
	default:
		e.Err = errStatus
	}
	return e
}

// errStatus is a status that stands for nothing in particular, as the 500 of
// a name that is too long.
var errStatus = errors.New("refused")

// garbage is the error of an answer that is none.
func (c *Client) garbage(a *answer, what string) *Error {
	return &Error{URL: c.base, user: c.user, Status: a.status, Message: c.scrub(what), Err: ErrGarbage}
}

var (
	noText = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)>|<[^>]*>?`)
	spaces = regexp.MustCompile(`\s+`)
)

// message returns what an answer says, for a person: Jenkins' X-Error, or the
// text of the page without its mark-up, at most 200 characters.
func (a *answer) message() string {
	text := a.header.Get("X-Error")
	if text == "" {
		text = html.UnescapeString(noText.ReplaceAllString(string(a.body), " "))
	}
	text = strings.TrimSpace(spaces.ReplaceAllString(strings.ToValidUTF8(text, "?"), " "))
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:199]) + "…"
	}
	return text
}

// scrub takes the token out of a text. Jenkins does not repeat it, but a
// proxy's error page may.
func (c *Client) scrub(text string) string {
	if c.token == "" {
		return text
	}
	basic := base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.token))
	return strings.NewReplacer(c.token, "(token)", basic, "(token)").Replace(text)
}

// permissionName returns the name that Jenkins' security page gives to the
// permission with this id: hudson.model.Computer.Create is Agent/Create.
func permissionName(id string) string {
	for class, group := range map[string]string{
		"hudson.model.Hudson.": "Overall/", "hudson.model.Computer.": "Agent/",
		"hudson.model.Item.": "Job/", "hudson.model.Run.": "Run/", "hudson.model.View.": "View/",
	} {
		if name, ok := strings.CutPrefix(id, class); ok {
			return group + name
		}
	}
	return "a permission"
}
