package ec2

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/batchctl/batchctl/nodes"
)

// scope says what an error is about.
type scope int

const (
	wholePlace scope = iota
	oneType          // this type, in this zone and market
	oneSubnet
	oneMarket // spot or on-demand, in the whole account and region
)

// meaning is what one of EC2's error codes says of a call.
type meaning struct {
	class nodes.Class
	scope scope
	hint  string // the way out, where there is one
}

// longestError bounds what is kept of EC2's message: an encoded refusal has
// thousands of characters that say nothing to people.
const longestError = 400

// explain returns the error of a call as the contract has it: with its class
// where EC2 has said what nobody can take for anything else. All others are
// without class: a connection that broke, a time limit, a server that is in
// trouble, a page of HTML, a code that is not in the table. For these it is
// not known what has happened.
func explain(action string, err error, s *spec) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*nodes.CloudError](err); ok {
		return e // of the limits here
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("EC2 %s: %w", action, err)
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("EC2 %s: %w", action, err)
	}
	said := fmt.Errorf("EC2 %s: %s: %s", action, api.ErrorCode(), shorten(api.ErrorMessage()))
	m, known := meaningOf(api.ErrorCode())
	if !known {
		return said
	}
	if m.hint != "" {
		said = fmt.Errorf("%w: %s", said, m.hint)
	}
	return &nodes.CloudError{Class: m.class, Scope: m.scope.of(s), Err: said}
}

// meaningOf looks a code up: as it is, or else by the longest beginning in
// the table that ends with *.
func meaningOf(code string) (meaning, bool) {
	if m, ok := meanings[code]; ok {
		return m, true
	}
	for n := len(code); n > 0; n-- {
		if m, ok := meanings[code[:n]+"*"]; ok {
			return m, true
		}
	}
	return meaning{}, false
}

// codeOf returns EC2's code of an error, or "".
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// of returns the words of the scope for an order, as its offer has them.
func (s scope) of(o *spec) string {
	if o == nil {
		return ""
	}
	switch s {
	case oneType:
		return o.typeScope()
	case oneSubnet:
		return o.Subnet
	case oneMarket:
		return o.marketScope()
	}
	return ""
}

func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestError {
		return strings.ToValidUTF8(text[:longestError], "") + "…"
	}
	return text
}
