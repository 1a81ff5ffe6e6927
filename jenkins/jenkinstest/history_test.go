package jenkinstest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.job("a/b", jenkinstest.JobSpec{
		Duration: func(number, _ int) time.Duration { return time.Duration(number) * time.Minute },
		Result: func(number, _ int) string {
			if number == 2 {
				return "FAILURE"
			}
			return "SUCCESS"
		},
	})
	for _, label := range []string{"l-1", "l-2"} {
		w.node(label, label)
		w.Server.Trigger("a/b")
		w.pass(10 * time.Minute)
	}
	runs, err := w.client.History(t.Context(), "a/b", 5)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%+v, %v", runs, err)
	}
	if runs[0].Number != 2 || runs[0].Result != "FAILURE" || runs[1].Result != "SUCCESS" || runs[1].Building {
		t.Errorf("%+v", runs)
	}
	if d := runs[0].Duration; d < 2*time.Minute || d > 3*time.Minute || !runs[1].Started.Before(runs[0].Started) {
		t.Errorf("%+v", runs)
	}
	if _, err := w.client.History(t.Context(), "a/none", 5); !errors.Is(err, jenkins.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
