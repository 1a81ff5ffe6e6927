package batches

import "fmt"

// RunVariable reports whether every run has an environment variable of that
// name, so that ${NAME} may stand for it in any batch.
func RunVariable(name string) bool { return runVariables[name] }

// CheckValue checks one value that is to stand in a Batch, as the checks of a
// tree do: its form, its range, and the keys of free maps on the way. The
// steps are the path below spec; the items of a list are the step "[]". It is
// for what writes trees; what several fields must agree on is not checked.
func CheckValue(text string, steps ...string) error {
	s := batchSpec
	for _, step := range steps {
		switch {
		case step == "[]":
			s = s.items
		case s.key != nil:
			if err := s.key(step); err != nil {
				return err
			}
			s = s.values
		default:
			s = s.member(step)
		}
		if s == nil {
			return fmt.Errorf("a batch has no %s", step)
		}
	}
	var ps problems
	v := &value{kind: stringKind, text: text, file: &File{}}
	if s.kinds == kinds(intKind) {
		v.kind = intKind
	}
	c := checker{root: batchSpec, ps: &ps}
	if c.scalar(s, v, newPath(steps...)); len(ps) > 0 {
		return fmt.Errorf("%s", ps[0].Message)
	}
	return nil
}
