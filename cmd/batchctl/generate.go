package main

//go:generate sh -c "go run . schema --reference >../../docs/tree-reference.md"
//go:generate sh -c "go run . reference >../../docs/batchctl-reference.md"
//go:generate go run . schema --out ../../examples/payments/.batchctl
