package factor

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// verify compares the new tree with the old one, of which docs are the values.
// What is made of the values must be the same as well, as far as it can be
// made: a value that is right in itself may be wrong where it stands now.
func verify(old *batches.Tree, docs []batches.Effective, new *batches.Tree) error {
	const fault = "nothing was written: this is a fault of batchctl"
	now, faults := new.Effective()
	if len(faults) > 0 {
		return fmt.Errorf("the factored tree would not be one: %s: %s; %s", faults[0].Place, faults[0].Message, fault)
	}
	if err := Same(docs, now); err != nil {
		return fmt.Errorf("the factored tree would say something else: %w; %s", err, fault)
	}
	was, is := old.Resolve().Jobs(), new.Resolve().Jobs()
	if !reflect.DeepEqual(was, is) {
		return fmt.Errorf("the factored tree would have %d sound jobs that are not the %d of now; %s", len(is), len(was), fault)
	}
	return nil
}

// Same compares two trees by every effective value of every job. It returns
// an error that names the first difference.
func Same(old, new []batches.Effective) error {
	if len(old) != len(new) {
		return fmt.Errorf("there would be %d jobs, and there are %d", len(new), len(old))
	}
	for i := range old {
		a, b := &old[i], &new[i]
		if a.Path != b.Path || a.Phase != b.Phase || a.Type != b.Type || a.Kind != b.Kind {
			return fmt.Errorf("there would be a job %s, where %s is", b.Path, a.Path)
		}
		values := make(map[string]string, len(a.Values))
		for _, v := range a.Values {
			values[strings.Join(v.Path, "\x00")] = encode(v.Node)
		}
		for _, v := range b.Values {
			key := strings.Join(v.Path, "\x00")
			was, there := values[key]
			if now := encode(v.Node); !there || now != was {
				return fmt.Errorf("%s: %s would be %q, and is %q", a.Path, strings.Join(v.Path, "."), now, was)
			}
			delete(values, key)
		}
		for key := range values {
			return fmt.Errorf("%s: %s would be gone", a.Path, strings.ReplaceAll(key, "\x00", "."))
		}
	}
	return nil
}
