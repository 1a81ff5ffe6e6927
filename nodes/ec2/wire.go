package ec2

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// onlyEC2 has only EC2's answers count as answers. The SDK takes an empty
// body, and the page of a proxy that wants a login, for an answer in which
// nothing stands: for an empty list.
func onlyEC2(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("batchctlOnlyEC2",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			res, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok || res.StatusCode != 200 {
				return out, metadata, err
			}
			want := awsmiddleware.GetOperationName(ctx) + "Response"
			body := bufio.NewReaderSize(res.Body, 1024)
			if got := root(body); got != want {
				return out, metadata, fmt.Errorf("the answer is not EC2's: it begins with %q, and should with %s: is there a proxy in between?", shorten(got), want)
			}
			res.Body = readCloser{body, res.Body}
			return out, metadata, nil
		}), middleware.After)
}

type readCloser struct {
	io.Reader
	io.Closer
}

// root returns the name of the first element, and reads nothing away.
func root(r *bufio.Reader) string {
	start, _ := r.Peek(1024) // what there is
	d := xml.NewDecoder(bytes.NewReader(start))
	d.Strict = false
	for {
		t, err := d.RawToken()
		if err != nil {
			return ""
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local
		}
	}
}

// plainBody hides from the SDK that what it sends can write itself. Otherwise,
// where an answer comes before net/http has looked whether more is to be sent,
// the SDK's wrapper (safeWriteToReadCloser of smithy-go 1.28.8) tells net/http
// io.EOF for "closed already", and the connection is cut in the middle of the
// answer: an order that EC2 took would look like one of which nothing is known.
func plainBody(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("batchctlPlainBody",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			if req, ok := in.Request.(*smithyhttp.Request); ok {
				if stream, ok := req.GetStream().(io.ReadSeeker); ok {
					plain, err := req.SetStream(struct{ io.ReadSeeker }{stream})
					if err != nil {
						return middleware.DeserializeOutput{}, middleware.Metadata{}, err
					}
					in.Request = plain
				}
			}
			return next.HandleDeserialize(ctx, in)
		}), middleware.After)
}
