package dsl

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// ShardSize is the most jobs that stand in one file of Job DSL. A sandboxed
// seed job cannot compile a file of more than 1,058, and between 100 and
// 1,000 a file the time is the same.
const ShardSize = 500

// Shard is the jobs of one file.
type Shard struct {
	File string // jobs_NNNN.groovy
	Jobs []int  // indices of the given paths, sorted by path
}

// Shards says which job stands in which file. Each file holds the jobs whose
// hash lies in one range, and NNNN is the range's first hash. A file that
// would hold more than ShardSize jobs is split in two halves of its range, so
// that adding or removing a job touches the file it is in, and no other job
// moves but those of a file that is split. The order of the paths does not
// matter, and no path means no file.
func Shards(paths []string) []Shard {
	jobs := make([]hashed, len(paths))
	for i, path := range paths {
		sum := sha256.Sum256([]byte(path))
		jobs[i] = hashed{binary.BigEndian.Uint16(sum[:]), i}
	}
	slices.SortFunc(jobs, func(a, b hashed) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(paths[a.index], paths[b.index]))
	})
	return split(nil, paths, jobs, 0, 1<<16)
}

type hashed struct {
	hash  uint16
	index int // of the path
}

// split appends the shards of the jobs whose hash is in [first, end).
func split(shards []Shard, paths []string, jobs []hashed, first, end int) []Shard {
	if len(jobs) == 0 {
		return shards
	}
	if len(jobs) > ShardSize && end-first > 1 {
		middle := (first + end) / 2
		n, _ := slices.BinarySearchFunc(jobs, middle, func(j hashed, m int) int { return cmp.Compare(int(j.hash), m) })
		return split(split(shards, paths, jobs[:n], first, middle), paths, jobs[n:], middle, end)
	}
	s := Shard{File: fmt.Sprintf("jobs_%04x.groovy", first), Jobs: make([]int, len(jobs))}
	for i, j := range jobs {
		s.Jobs[i] = j.index
	}
	slices.SortFunc(s.Jobs, func(a, b int) int { return cmp.Compare(paths[a], paths[b]) })
	return append(shards, s)
}
