// Package batches loads a tree of YAML, resolves it through its layers and
// checks the result. It is the heart of batchctl.
//
// A tree becomes jobs in fixed steps, each a pure function of the one before:
//
//	Load      files → documents; every value keeps its place (parse.go, tree.go)
//	merge     layers → one document per job (merge.go)
//	expand    {{NAME}} → values, with where each came from (expand.go)
//	check     document against the schema of its kind (schema.go, kind.go)
//	decode    document → Batch (batch.go)
//
// Resolve (resolve.go) runs the steps for all jobs, Explain (explain.go) shows
// where the values of one job come from. Loading, layers, variables and
// origins know no kind of document; a kind is one file (batch.go, config.go).
//
// Nothing here stops at the first fault: every step adds to the list of
// problems (problem.go), and a tree that has none can be rendered.
package batches
