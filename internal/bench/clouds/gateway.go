package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// listenGateway starts a gateway to services of this host: GATEWAY/HOST:PORT/…
// is http://HOST:PORT/…, and the addresses in what they say lead through it.
// It loses replies and calls, and answers some in a service's stead.
func listenGateway(faults *dice) (string, error) {
	g := &gateway{faults: faults}
	g.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		host, rest, _ := strings.Cut(strings.TrimPrefix(r.In.URL.Path, "/"), "/")
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.URL.Path, r.Out.URL.RawPath = "http", host, "/"+rest, ""
		r.Out.Host = host
		r.Out.Header.Del("Accept-Encoding") // what is compressed cannot be rewritten
	}, ModifyResponse: g.rewrite, ErrorLog: log.New(io.Discard, "", 0)} // of callers that were killed
	url, err := listen(g)
	g.url = url
	return url, err
}

type gateway struct {
	url    string
	proxy  *httputil.ReverseProxy
	faults *dice
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := g.faults.roll(); {
	case p < faulty:
		g.proxy.ServeHTTP(discard{http.Header{}}, r)
		panic(http.ErrAbortHandler) // net/http's way to break a connection
	case p < 2*faulty:
		http.Error(w, "<html><body>503 Service Unavailable</body></html>", http.StatusServiceUnavailable)
	default:
		g.proxy.ServeHTTP(w, r)
	}
}

// rewrite has the addresses in an answer lead through the gateway.
func (g *gateway) rewrite(res *http.Response) error {
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	const local = "http://127.0.0.1:"
	text = bytes.ReplaceAll(text, []byte(local), []byte(through(g.url, local)))
	res.Body = io.NopCloser(bytes.NewReader(text))
	res.ContentLength = int64(len(text))
	res.Header.Set("Content-Length", strconv.Itoa(len(text)))
	if at := res.Header.Get("Location"); at != "" {
		res.Header.Set("Location", strings.Replace(at, local, through(g.url, local), 1))
	}
	return nil
}

// discard takes an answer that nobody is to have.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
