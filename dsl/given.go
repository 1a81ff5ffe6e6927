package dsl

import "github.com/batchctl/batchctl/batches"

var (
	givenBegin = inScript.constant("withEnv([\n")
	givenName  = inScript.constant("'")
	givenValue = inScript.constant("=' + params.")
	givenNext  = inScript.constant(",\n")
	givenEnd   = inScript.constant("]) {\n")
)

// given begins the block in which the parameters are in the environment with
// their exact values, and returns 1 if there is one. Jenkins sets them too,
// but in these it has replaced $$ by $ and every $NAME of a variable that it
// knows (EnvVars.resolve). An empty value is not set at all (EnvVars.override);
// the shell text makes up for that.
func (w *writer) given(parameters []batches.Parameter) int {
	if len(parameters) == 0 {
		return 0
	}
	w.raw(givenBegin)
	for i := range parameters {
		w.field("spec.parameters", i)
		name := parameters[i].Name
		if !isName(name) || reserved(name) {
			w.fail("%q cannot be a parameter's name: it is the job's own, or no name of a variable", name)
			return 1
		}
		w.raw(givenName)
		w.raw(name)
		w.raw(givenValue)
		w.raw(name)
		w.raw(givenNext)
	}
	w.raw(givenEnd)
	return 1
}

// Names of the variables that hold the credentials of the artifact.
const (
	artifactUser     = "BATCH_ARTIFACT_USR"
	artifactPassword = "BATCH_ARTIFACT_PSW"
)

var (
	credentialsBegin  = inScript.constant("withCredentials([\n")
	credentialsEnd    = inScript.constant("]) {\n")
	credentialID      = inScript.constant("(credentialsId: '")
	credentialVar     = inScript.constant("', variable: '")
	credentialUser    = inScript.constant("', usernameVariable: '")
	credentialPass    = inScript.constant("', passwordVariable: '")
	credentialNext    = inScript.constant("'),\n")
	credentialMethods = map[string]string{"string": "string", "file": "file", "username-password": "usernamePassword"}
)

// credentials begins the block in which the secrets are in the environment,
// and returns 1 if there is one.
func (w *writer) credentials(b *batches.Batch) int {
	if len(b.Secrets) == 0 && b.Artifact.Credentials == "" {
		return 0
	}
	w.raw(credentialsBegin)
	for i := range b.Secrets {
		s := &b.Secrets[i]
		w.field("spec.secrets", i)
		if !isName(s.Name) || reserved(s.Name) {
			w.fail("%q cannot be a secret's name: it is the job's own, or no name of a variable", s.Name)
		}
		method, ok := credentialMethods[s.Type]
		if !ok {
			w.fail("type %q is none of string, file and username-password", s.Type)
		}
		w.raw(method)
		w.raw(credentialID)
		w.value(s.ID)
		if s.Type == "username-password" {
			w.userPassword(s.Name+"_USR", s.Name+"_PSW")
			continue
		}
		w.raw(credentialVar)
		w.value(s.Name)
		w.raw(credentialNext)
	}
	if b.Artifact.Credentials != "" {
		w.field("spec.artifact.credentials", -1)
		w.raw("usernamePassword")
		w.raw(credentialID)
		w.value(b.Artifact.Credentials)
		w.userPassword(artifactUser, artifactPassword)
	}
	w.raw(credentialsEnd)
	return 1
}

// userPassword ends a credential that gives two variables.
func (w *writer) userPassword(user, password string) {
	w.raw(credentialUser)
	w.value(user)
	w.raw(credentialPass)
	w.value(password)
	w.raw(credentialNext)
}
