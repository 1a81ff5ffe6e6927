package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Role is what the holder of a token may do. No role but Read is part of
// another: who may put catalogs may not hold machines.
type Role string

// The roles.
const (
	Read    Role = "read"    // look at everything
	Operate Role = "operate" // look, hold and release machines, drain and resume pools
	Publish Role = "publish" // look, and put the catalog
)

// may reports whether the role is enough where need is asked for.
func (r Role) may(need Role) bool {
	switch r {
	case Read, Operate, Publish:
		return need == Read || need == r
	}
	return false
}

// Token is one that the console knows. Several may have one name, so that one
// can be replaced while the other is still in use.
type Token struct {
	Name string // of the person or program that has it; stands in logs and beside what it does
	Role Role
	Hash [sha256.Size]byte // of the token; see HashToken
}

// HashToken returns what a Token keeps of a token's text. Without a salt it
// is as strong as the text: that should be 32 random bytes or more.
func HashToken(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// scheme is the name of the security scheme in the API's description.
const scheme = "token"

// callerKey is where the caller's Token stands in the context.
type callerKey struct{}

func callerOf(ctx context.Context) Token {
	t, _ := ctx.Value(callerKey{}).(Token)
	return t
}

// find returns the token with that text. All are compared, and each in the
// same time, so that nothing can be learnt from how long it took.
func find(tokens []Token, text string) (found Token, ok bool) {
	hash := HashToken(text)
	for _, t := range tokens {
		if subtle.ConstantTimeCompare(hash[:], t.Hash[:]) == 1 {
			found, ok = t, text != ""
		}
	}
	return found, ok
}

// authenticate lets only callers with a known token ask for anything under
// /api/, there or not.
func (h *console) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		kind, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if text == "" || !strings.EqualFold(kind, "Bearer") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="provisioner"`)
			problem(w, http.StatusUnauthorized, "a token is needed: send the header Authorization: Bearer TOKEN")
			return
		}
		token, known := find(h.Tokens, strings.TrimSpace(text))
		if !known {
			h.Log.LogAttrs(r.Context(), slog.LevelWarn, "request with an unknown token refused", slog.String("from", r.RemoteAddr),
				slog.String("method", r.Method), slog.String("path", r.URL.Path))
			w.Header().Set("WWW-Authenticate", `Bearer realm="provisioner", error="invalid_token"`)
			problem(w, http.StatusUnauthorized, "the token is not known here")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, token)))
	})
}

// authorize lets an operation be done by those who may, and logs who changed
// what.
func (h *console) authorize(ctx huma.Context, next func(huma.Context)) {
	need, ok := neededRole(ctx.Operation())
	if !ok {
		next(ctx)
		return
	}
	who := callerOf(ctx.Context())
	path := ctx.URL()
	attrs := []slog.Attr{slog.String("by", who.Name), slog.String("role", string(who.Role)),
		slog.String("operation", ctx.Operation().OperationID), slog.String("path", path.Path)}
	if !who.Role.may(need) {
		h.Log.LogAttrs(ctx.Context(), slog.LevelWarn, "request refused", attrs...)
		_, w := humago.Unwrap(ctx)
		problem(w, http.StatusForbidden, fmt.Sprintf("this needs a token with the role %s; the one of %s has %s", need, who.Name, who.Role))
		return
	}
	next(ctx)
	if ctx.Method() != http.MethodGet {
		h.Log.LogAttrs(ctx.Context(), slog.LevelInfo, "request done", append(attrs, slog.Int("status", ctx.Status()))...)
	}
}

// neededRole returns the role that the description of an operation asks for.
func neededRole(op *huma.Operation) (Role, bool) {
	for _, s := range op.Security {
		for _, role := range s[scheme] {
			return Role(role), true
		}
	}
	return "", false
}
