package console

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// guard stands around everything: it gives the headers that all answers have,
// and keeps a panic from ending more than its own request.
func (h *console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noting := &notingWriter{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			h.Log.LogAttrs(r.Context(), slog.LevelError, "a request was not answered because of a fault in the program",
				slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			if noting.wrote {
				panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
			}
			problem(w, http.StatusInternalServerError, "a fault in the provisioner; its log says more")
		}()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Date", h.Now().UTC().Format(http.TimeFormat)) // ages are told by this clock
		next.ServeHTTP(noting, r)
	})
}

// notingWriter notes whether an answer has begun.
type notingWriter struct {
	http.ResponseWriter
	wrote bool
}

// WriteHeader implements http.ResponseWriter.
func (w *notingWriter) WriteHeader(status int) {
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *notingWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets deadlines be set on the connection.
func (w *notingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// route is the mux, with problem details where it would write plain text, and
// without its redirects: a path that is not clean leads nowhere.
func route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		handler, pattern := mux.Handler(r)
		switch {
		case pattern != "" && path.Clean(escaped) == escaped:
			mux.ServeHTTP(w, r)
			return
		case pattern == "":
			var plain headerOnly
			handler.ServeHTTP(&plain, r)
			if allow := plain.Header().Get("Allow"); allow != "" {
				w.Header().Set("Allow", allow)
				problem(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s does not take %s; it takes %s", shortPath(r.URL.Path), shortPath(r.Method), allow))
				return
			}
		}
		problem(w, http.StatusNotFound, fmt.Sprintf("nothing is at %s; /openapi.json says what there is", shortPath(r.URL.Path)))
	})
}

// headerOnly takes an answer and keeps nothing but its header.
type headerOnly struct{ header http.Header }

// Header implements http.ResponseWriter.
func (w *headerOnly) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// Write implements http.ResponseWriter.
func (w *headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (w *headerOnly) WriteHeader(int) {}

// shortPath quotes what a caller wrote, as far as that is worth repeating.
func shortPath(s string) string {
	if r := []rune(s); len(r) > 100 {
		s = string(r[:99]) + "…"
	}
	return strings.Trim(fmt.Sprintf("%q", s), `"`)
}

// problem writes an error where huma does not come to it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.NewError(status, detail)) // a caller that has gone away needs no answer
}

// explain puts what is wrong with a request into the one text that people
// read, and does not send back what they sent.
func explain(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	var whys []string
	for _, d := range e.Errors {
		d.Value = nil
		why := d.Message
		if d.Location != "" {
			why = d.Location + ": " + why
		}
		whys = append(whys, why)
	}
	if len(whys) > 0 {
		e.Detail = strings.Join(whys, "; ")
	}
	return e, nil
}

// broken is the answer where the store cannot be asked. What it said goes to
// the log alone, as it may name hosts and users.
func (h *console) broken(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		h.Log.Error("the console cannot ask the store", "error", err)
	}
	return huma.Error503ServiceUnavailable("the store does not answer; the provisioner's log says more")
}
