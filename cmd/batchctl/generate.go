package main

//go:generate sh -c "go run . schema --reference >../../docs/tree-reference.md"
//go:generate go run . schema --out ../../examples/payments/.batchctl
