// Package treetest draws random trees for property tests: with all layers, and
// written in the many ways that people write YAML. They have no error.
package treetest
