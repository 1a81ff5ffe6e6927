package factor

import (
	"fmt"
	"io/fs"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/internal/yamldoc"
)

// frame is what a leaf keeps as it is: its name and the like, its clusters,
// and its comments.
type frame struct {
	metadata *yaml.Node
	deploy   *yaml.Node
	comments []string
}

// readFrames reads the frames of all leaves.
func readFrames(fsys fs.FS, t *table) ([]frame, error) {
	out := make([]frame, len(t.files))
	for i, file := range t.files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		root := doc.Content[0]
		f := frame{metadata: yamldoc.Map(), deploy: yamldoc.Get(root, "deploy")}
		gather(&doc, "", &f.comments)
		if meta := yamldoc.Get(root, "metadata"); meta != nil {
			for k := 0; k+1 < len(meta.Content); k += 2 {
				if key := meta.Content[k].Value; key != "owner" {
					yamldoc.Set(f.metadata, fresh(meta.Content[k+1]), key)
				}
			}
		}
		out[i] = f
	}
	return out, nil
}

// gather lists all comments of a document, in its order. Those that stand
// with a value get the value's key in front.
func gather(n *yaml.Node, key string, out *[]string) {
	for _, text := range []string{n.HeadComment, n.LineComment} {
		addComment(text, key, out)
	}
	for i, kid := range n.Content {
		name := key
		if n.Kind == yaml.MappingNode {
			if name = n.Content[i-i%2].Value; key != "" {
				name = key + "." + name
			}
			// What stands in front of the first key is the document's.
			if i == 0 && key == "" {
				name = ""
			}
		}
		gather(kid, name, out)
	}
	addComment(n.FootComment, key, out)
}

func addComment(text, key string, out *[]string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#"))
		if line != "" && key != "" {
			line = key + ": " + line
		}
		if line != "" {
			*out = append(*out, line)
		}
	}
}

// fresh copies a value without style and comments.
func fresh(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "") {
		return yamldoc.Text(n.Value)
	}
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	for _, kid := range n.Content {
		out.Content = append(out.Content, fresh(kid))
	}
	return out
}
