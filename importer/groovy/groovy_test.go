package groovy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/importer/groovy"
)

func plain(s string) groovy.Value { return groovy.Value{Parts: []groovy.Part{{Text: s}}} }

func TestParse(t *testing.T) {
	script := `#!groovy
// 주석
def HOME = '/opt' /* x
*/
node('big && java') {
    timeout(time: 2, unit: "HOURS") {
        withCredentials([string(credentialsId: 'a', variable: 'B')]) {
            sh """
  java \
  -jar ${HOME}/a.jar \$X $params.RUN_DATE.
"""
        }
    }
    archiveArtifacts artifacts: 'a,b', allowEmptyArchive: true
    deleteDir()
}
`
	got, err := groovy.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Name != "HOME" || got[1].Line != 5 {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(plain("/opt"), got[0].Set); diff != "" {
		t.Error(diff)
	}
	node := got[1].Call
	if label, _ := node.Args[0].Plain(); label != "big && java" || len(node.Body) != 3 {
		t.Fatalf("%+v", node)
	}
	limit := node.Body[0].Call
	if unit, _ := limit.Arg("unit").Plain(); unit != "HOURS" || limit.Arg("nothing") != nil {
		t.Errorf("%+v", limit)
	}
	secret := limit.Body[0].Call
	if inner := secret.Args[0].Items[0].Call; inner.Name != "string" || len(inner.Named) != 2 {
		t.Errorf("%+v", inner)
	}
	want := []groovy.Part{{Text: "\n  java   -jar "}, {Text: "HOME", Ref: true}, {Text: "/a.jar $X "}, {Text: "params.RUN_DATE", Ref: true}, {Text: ".\n"}}
	if diff := cmp.Diff(want, secret.Body[0].Call.Args[0].Parts); diff != "" {
		t.Error(diff)
	}
	if kept := node.Body[1].Call; len(kept.Named) != 2 || kept.Text != "archiveArtifacts artifacts: 'a,b', allowEmptyArchive: true" {
		t.Errorf("%+v", kept)
	}
}

func TestDeclarative(t *testing.T) {
	got, err := groovy.Parse("pipeline {\n agent { label 'x' }\n options {\n  buildDiscarder(logRotator(numToKeepStr: '5'))\n }\n environment { A = 'b' }\n stages { stage('a') { steps { sh 'x'; echo \"y\" } } }\n}")
	if err != nil {
		t.Fatal(err)
	}
	body := got[0].Call.Body
	if len(body) != 4 || body[2].Call.Body[0].Name != "A" || len(body[3].Call.Body[0].Call.Body[0].Call.Body) != 2 {
		t.Fatalf("%+v", body)
	}
}

// TestRefused has what is not plain: it must come to an error, never to a
// reading that leaves something out.
func TestRefused(t *testing.T) {
	tests := map[string]string{
		"if (x) { sh 'a' }":                     "line 1 of the pipeline: it holds a condition (if)",
		"node {\ntry { sh 'a' } catch (e) {} }": "line 2 of the pipeline: it holds a try",
		"sh 'a' + b":                            "it holds +",
		"sh \"${a.b()}\"":                       "no plain reference",
		"def f() { }":                           "defines a method",
		"sh 'a":                                 "a string does not end",
		"node {":                                "a block does not end",
		"/* x":                                  "a comment does not end",
		"sh 'a' 'b'":                            "after sh stands a string",
		"'a'":                                   "begins no step",
		"sh '\\x'":                              "an escape that is not read",
		"x = ":                                  "nothing more is no plain value",
		"a(b c d, e":                            "more than a plain value",
		strings.Repeat("a{", 60):                "more than 50 deep",
		"x = " + strings.Repeat("[", 60):        "more than 50 deep",
		strings.Repeat("/", groovy.MaxScript+1): "256 KiB is the most",
	}
	for script, want := range tests {
		_, err := groovy.Parse(script)
		var e *groovy.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, and want %q", script, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("node('x') { sh \"\"\"a ${b.c} \\\n\"\"\"\n x = [a: 1, 'b'] }")
	f.Add("a b c d(e) { f }\ndef x = y\n")
	f.Fuzz(func(t *testing.T, script string) {
		if _, err := groovy.Parse(script); err != nil {
			var e *groovy.Error
			if !errors.As(err, &e) || e.Line < 1 {
				t.Fatalf("%T %v", err, err)
			}
		}
	})
}
