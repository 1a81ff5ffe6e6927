package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/batchctl/batchctl/store"
)

// ordered compares the machines that were seen with the orders of the store:
// how many machines and orders there were, and which orders had more machines
// than they asked for.
func (s *site) ordered(ctx context.Context, m *machines) (made, orders int, twice []string, err error) {
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(s.dir, "state.db"))
	if err != nil {
		return 0, 0, nil, err
	}
	defer db.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, machines := range m.made {
		o, err := db.Order(ctx, id)
		if err != nil {
			return 0, 0, nil, fmt.Errorf("a machine is of the order %q: %w", id, err)
		}
		orders, made = orders+1, made+len(machines)
		if len(machines) > o.Count {
			twice = append(twice, fmt.Sprintf("order %s for %d machines has had %d", id, o.Count, len(machines)))
		}
	}
	return made, orders, twice, nil
}
