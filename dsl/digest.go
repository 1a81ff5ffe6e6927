package dsl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
)

// The first line of every Pipeline is a comment with a digest of what was
// declared of the job:
//
//	// batchctl digest <the job's token> <8 hexadecimal digits a field>
//
// Jenkins keeps it through every way of saving a job, and people have no text
// in it. So of each field it can be told whether the tree has changed since
// the job was rendered, or Jenkins.
const (
	digestWords = "// batchctl digest "
	fieldDigits = 8
)

// A Digest has the digits of each field; zero where there are none.
type Digest [numDeclared]FieldDigest

// A FieldDigest has the digits of one field.
type FieldDigest [fieldDigits]byte

// String returns all digits, "" for none.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	var all []byte
	for i := range d {
		all = append(all, d[i][:]...)
	}
	return string(all)
}

// Digest returns the digest of what is declared.
func (d *Declared) Digest() Digest {
	var out Digest
	for i, text := range d {
		sum := sha256.Sum256([]byte(text))
		hex.Encode(out[i][:], sum[:fieldDigits/2])
	}
	return out
}

// CutDigest takes the line of the digest off a Pipeline. It says false where
// there is none of the job with this full name: somebody else's job, or a copy
// of one of ours; or one of another version of batchctl, whose line it takes
// off, too.
func CutDigest(script, fullName string) (rest string, d Digest, ok bool) {
	text, found := strings.CutPrefix(script, digestWords+catalog.Token(fullName)+" ")
	digits, rest, ended := strings.Cut(text, "\n")
	if !found || !ended {
		return script, Digest{}, false
	}
	if len(digits) != len(d)*fieldDigits {
		return rest, Digest{}, false
	}
	for i := range d {
		copy(d[i][:], digits[i*fieldDigits:])
	}
	return rest, d, true
}

// FindDigest finds the digest of the job with this full name in a page that
// shows its Pipeline.
func FindDigest(page []byte, fullName string) (d Digest, found bool) {
	begin := []byte(digestWords + catalog.Token(fullName) + " ")
	at := bytes.Index(page, begin)
	if at < 0 || len(page) < at+len(begin)+len(d)*fieldDigits {
		return Digest{}, false
	}
	digits := page[at+len(begin):]
	for i := range d {
		copy(d[i][:], digits[i*fieldDigits:])
		for _, c := range d[i] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return Digest{}, false
			}
		}
	}
	return d, true
}

// Ours reports whether a Pipeline was rendered for the job with this full name:
// it has the digest, or as those of an older batchctl asks for a node by the
// job's token.
func Ours(script, fullName string) bool {
	token := catalog.Token(fullName)
	return strings.HasPrefix(script, digestWords+token+" ") || strings.Contains(script, "node('b-"+token+"-'")
}

// RenderedFor returns the token of the job that a Pipeline was rendered for, ""
// where it has no digest: that of a copy is the original's.
func RenderedFor(script string) string {
	text, found := strings.CutPrefix(script, digestWords)
	token, _, ended := strings.Cut(text, " ")
	if !found || !ended {
		return ""
	}
	return token
}

var (
	digestBegin = inScript.constant(digestWords)
	digestEnd   = inScript.constant("\n")
)

// digestRoom writes the line of the digest, with room for the digits. It
// returns where they go, and where the rest of the Pipeline begins.
func (w *writer) digestRoom(j *batches.Job) (at, body int) {
	w.raw(digestBegin)
	w.dst = catalog.AppendToken(w.dst, FullName(j.Jenkins, j.Path))
	w.raw(" ")
	at = len(w.dst)
	w.raw(strings.Repeat("0", numDeclared*fieldDigits))
	w.raw(digestEnd)
	return at, len(w.dst)
}

// scratch has buffers for Pipelines: 10,000 jobs of some kilobytes each.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// digest fills the digits in, once the Pipeline is written.
func (w *writer) digest(j *batches.Job, at, body int) {
	if w.err != nil {
		return
	}
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	*buffer = unquoted((*buffer)[:0], w.dst[body:])
	d := declared(j, string(*buffer))
	for i, digits := range d.Digest() {
		copy(w.dst[at+i*fieldDigits:], digits[:])
	}
}

// unquoted appends the text of literals of this package, from the inside of
// the first on. It undoes what inScript does, which is ASCII all through.
func unquoted(dst, literals []byte) []byte {
	inside := true
	for i := 0; i < len(literals); i++ {
		start := i
		for i < len(literals) && literals[i] != '\\' && literals[i] != '\'' {
			i++
		}
		if inside { // else it is the comma and the line feed between two
			dst = append(dst, literals[start:i]...)
		}
		switch {
		case i == len(literals):
		case literals[i] == '\'':
			inside = !inside
		default:
			i++
			dst = append(dst, unescaped(literals[i]))
		}
	}
	return dst
}

// unescaped is the character behind a backslash of groovyEscapes.
func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
