package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// The environment that FromEnv reads.
const (
	EnvURL       = "BATCHCTL_PROVISIONER" // base URL, such as https://provisioner.example
	EnvToken     = "BATCHCTL_TOKEN"
	EnvTokenFile = "BATCHCTL_TOKEN_FILE" // holds the token, where it is not to be in the environment
)

// Bounds of a client: what an answer may be long, and how long it may take.
const (
	maxAnswer   = 64 << 20
	maxCatalog  = 512 << 20
	timeout     = 30 * time.Second
	timeoutPush = 10 * time.Minute
)

// Client asks one provisioner. Its methods may be called at the same time.
// Their errors say what was asked, what went wrong and what to do; the token
// is in none of them.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// FromEnv returns the client that the environment describes.
func FromEnv(getenv func(string) string) (*Client, error) {
	base := getenv(EnvURL)
	if base == "" {
		return nil, fmt.Errorf("%s is not set; it takes the URL of the provisioner, such as https://provisioner.example", EnvURL)
	}
	token, file := getenv(EnvToken), getenv(EnvTokenFile)
	switch {
	case token != "" && file != "":
		return nil, fmt.Errorf("both %s and %s are set; unset one of them", EnvToken, EnvTokenFile)
	case token == "" && file == "":
		return nil, fmt.Errorf("neither %s nor %s is set; ask who runs the provisioner for a token", EnvToken, EnvTokenFile)
	case file != "":
		var err error
		if token, err = readToken(file); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvTokenFile, err)
		}
	}
	return New(base, token)
}

func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 8<<10))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// New returns a client of the provisioner at a base URL.
func New(base, token string) (*Client, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is no URL; write https://provisioner.example", EnvURL)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("%s=%s is no http or https URL; write https://provisioner.example", EnvURL, u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("%s holds a user; the token goes into %s", EnvURL, EnvToken)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s=%s has something behind its path; take that away", EnvURL, base)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds a space, a line break or another character that no token has")
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{base: u, token: token, http: c}, nil
}

// URL returns the base URL.
func (c *Client) URL() string { return strings.TrimSuffix(c.base.String(), "/") }

// answer is what a call gave besides its body.
type answer struct {
	status int
	date   time.Time // by the provisioner's clock; zero where it did not say
}

// call sends one request and decodes the answer into out. Statuses that are
// listed in fine are no errors.
func (c *Client) call(ctx context.Context, method string, path []string, query url.Values, in, out any, fine ...int) (answer, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return c.send(ctx, method, path, query, body, maxAnswer, out, fine...)
}

func (c *Client) send(ctx context.Context, method string, path []string, query url.Values, body io.Reader, limit int64, out any, fine ...int) (answer, error) {
	for i, segment := range path {
		path[i] = url.PathEscape(segment)
	}
	target := c.URL() + "/" + strings.Join(path, "/")
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Expect", "100-continue") // a large body is sent only to who takes it
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	a.date, _ = http.ParseTime(resp.Header.Get("Date"))
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return a, c.unreachable(err)
	case int64(len(text)) > limit:
		return a, fmt.Errorf("%s: the answer is longer than %d MB", c.URL(), limit>>20)
	}
	if resp.StatusCode/100 != 2 && !slices.Contains(fine, resp.StatusCode) {
		return a, c.refused(resp, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return a, fmt.Errorf("%s does not answer as a provisioner does; is %s right?", c.URL(), EnvURL)
	}
	return a, nil
}
