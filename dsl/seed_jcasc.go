package dsl

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// SeedJCasC returns the seed job as configuration for the Configuration as
// Code plugin: the switch that lets a job run as a certain user, and the job
// itself. It returns an error if an option is missing or cannot be written.
func SeedJCasC(o SeedOptions) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	// Configuration as Code replaces ${NAME}; ^${ stands for a plain ${.
	script := strings.ReplaceAll(seedJob(o), "${", "^${")
	type m = map[string]any
	body := struct {
		Security m   `yaml:"security"`
		Jobs     []m `yaml:"jobs"`
	}{
		Security: m{"queueItemAuthenticator": m{"authenticators": []m{{"project": m{"enabledStrategies": []string{runAsUser}}}}}},
		Jobs:     []m{{"script": script}},
	}
	var b bytes.Buffer
	b.WriteString(comment("#", "The seed job for Configuration as Code, made by batchctl seed.", ""))
	b.WriteString(comment("#", permissions...))
	b.WriteString(comment("#", "",
		"1 and 2 are done below. Job DSL under jobs: is run by Jenkins itself and not in",
		"the sandbox, so here, and only here, a configure block may set the user.",
		"The Authorize Project plugin restricts who may save the job afterwards."))
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(body); err != nil {
		return "", err
	}
	return b.String(), enc.Close()
}

// seedJob returns the seed job as Job DSL. It is for Configuration as Code
// alone: the configure block is refused in a sandbox.
func seedJob(o SeedOptions) string {
	credentials := ""
	if o.Credentials != "" {
		credentials = "\n            credentials(" + quoted(o.Credentials) + ")"
	}
	return `pipelineJob(` + quoted(o.Name) + `) {
  description(` + quoted(seedDescription) + `)
  properties {
    disableConcurrentBuilds { abortPrevious(false) }
    pipelineTriggers { triggers { pollSCM { scmpoll_spec(` + quoted(o.Poll) + `) } } }
  }
  definition {
    cpsScm {
      scm {
        git {
          remote {
            url(` + quoted(o.Repository) + `)` + credentials + `
          }
          branch(` + quoted("*/"+o.Branch) + `)
        }
      }
      scriptPath(` + quoted(o.ScriptPath) + `)
      lightweight(true)
    }
  }
  configure { job ->
    job / 'properties' / '` + runAsProperty + `' {
      strategy(class: '` + runAsUser + `') { userid(` + quoted(o.RunAs) + `) }
    }
  }
}
`
}
