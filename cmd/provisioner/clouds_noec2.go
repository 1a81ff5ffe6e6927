//go:build noec2

package main

import "errors"

// newEC2 says that there is none.
func newEC2(string, Cloud) (amazon, error) {
	return nil, errors.New("this provisioner was built without EC2 (go build -tags noec2); build it without the tag")
}
