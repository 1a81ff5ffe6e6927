package console

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/nodes"
)

// cursorOf returns the cursor that goes on behind a lease.
func cursorOf(l *nodes.Lease) string {
	text := strconv.FormatInt(l.Created.UnixMicro(), 10) + " " + l.ID
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// position returns the lease behind which a page goes on; the zero time where
// it is the first page.
func position(cursor string) (created time.Time, id string, err error) {
	if cursor == "" {
		return created, "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	micros, id, _ := strings.Cut(string(text), " ")
	if err == nil {
		var n int64
		n, err = strconv.ParseInt(micros, 10, 64)
		created = time.UnixMicro(n).UTC()
	}
	if err != nil || id == "" || created.IsZero() {
		return created, "", invalid("query.cursor", errors.New("it is not the next of another page"))
	}
	return created, id, nil
}

// checkGlob refuses what is no glob over paths of jobs.
func checkGlob(job string) error {
	if !doublestar.ValidatePattern(job) {
		return invalid("query.job", errors.New("it is neither a job's path nor a glob"))
	}
	return nil
}

// invalid is the answer to a parameter that the API's description lets pass
// and that is wrong all the same.
func invalid(where string, err error) error {
	return huma.Error422UnprocessableEntity(where + ": " + err.Error())
}
