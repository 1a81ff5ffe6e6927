package batches

import (
	"fmt"
	"strings"
)

// Layer is a level of configuration; a later one wins.
type Layer uint8

// The layers of a tree, lowest first, and Settings for batchctl.yaml, which
// is no layer.
const (
	Global Layer = iota
	Cluster
	Phase
	AppType
	AppGroup
	App
	Rollout
	Settings
)

var layerNames = [...]string{"global", "cluster", "phase", "app-type", "app-group", "app", "rollout", "settings"}

func (l Layer) String() string { return layerNames[l] }

// File is one YAML file of a tree.
type File struct {
	Path  string // slash-separated, relative to the tree; of a symbolic link, that of the file it leads to
	Layer Layer
	Name  string // of what it describes: the cluster, the batch, …
	Group string // of an App: its app group
	Note  string // of a Rollout: how far it has come
}

// Place is a position in a file. Line and Col count from 1, Col in
// characters. What is about a file as a whole is at its beginning.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
}

// String writes a place as editors and compilers do: file:line:col.
func (p Place) String() string {
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

func (p Place) compare(q Place) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Col - q.Col
}
