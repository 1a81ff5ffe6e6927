package importer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/importer"
)

// TestSecrets: a password is found where people write one, in what becomes a
// batch and in what is kept whole; and the report never says it.
func TestSecrets(t *testing.T) {
	const java = "\njava -jar /a.jar"
	for _, tt := range []struct{ shell, more, want string }{
		{"java -jar /a.jar --db-password=hunter2", "", "db-password"},
		{"java -jar /a.jar --token hunter2", "", "token"},
		{"java -jar /a.jar 'jdbc:mysql://h/db?user=u&password=hunter2'", "", "password"},
		{"java -jar /a.jar jdbc:mysql://h/db?user=u&password=hunter2", "", "password"}, // a glob, so no batch
		{"java -Ddb.pw=hunter2 -jar /a.jar", "", "db.pw"},
		{"java -jar /a.jar ftp://me:hunter2@host/x", "", "the password in a URL"},
		{"export DB_PWD=hunter2" + java, "", "DB_PWD"},
		{"if x; then DB_PASSWORD='hunter2'; fi" + java, "", "DB_PASSWORD"},
		{"mysql --password hunter2" + java, "", "password"},
		{"curl -s -u me:hunter2 http://x" + java, "", "the password of curl"},
		{"wget http://me:hunter2@host/x" + java, "", "the password in a URL"},
		{"java -jar /a.jar", "<buildWrappers><EnvInjectBuildWrapper><info><propertiesContent>JDBC=jdbc:x?password=hunter2</propertiesContent></info></EnvInjectBuildWrapper></buildWrappers>", "password"},
		{"mysql --password=hunter2", "", "password"}, // no batch
		{"# old: --password=hunter2\njava -jar /a.jar --password=hunter2 || mail --token hunter2", "", "password"},
		{"java -jar /a.jar --password=hunter2$(date)", "", "password"}, // no batch
		{"for i in 1; do java -jar /a.jar --secret hunter2; done", "", "secret"},
	} {
		r := run(t, importer.Options{}, project("live-1/pay/a", tt.shell, tt.more))
		if !has(r.Report[0], "secret", tt.want) {
			t.Errorf("%s: %+v; want %s", tt.shell, r.Report[0], tt.want)
		}
		if strings.Contains(r.Report[0].Reason, "hunter2") {
			t.Errorf("%s: the report says it: %s", tt.shell, r.Report[0].Reason)
		}
		for _, f := range r.Files {
			for line := range strings.Lines(string(f.Text)) {
				if (line[0] == '#' || strings.HasPrefix(line, "<!--")) && strings.Contains(line, "hunter2") {
					t.Errorf("%s: a comment says it: %s", tt.shell, line)
				}
			}
		}
		for _, f := range r.Report[0].Findings {
			if strings.Contains(f.What+f.Text, "hunter2") {
				t.Errorf("%s: the report says it: %+v", tt.shell, f)
			}
		}
	}
	for _, none := range []string{"java -jar /a.jar --password=$PW --token \"$T\"", "java -jar /a.jar --password-file=/etc/x", "cd $OLDPWD; PWD=/x" + java, "java -jar /a.jar --credentials-id=x http://host:80/a@b"} {
		r := run(t, importer.Options{}, source("live-1/pay/a", "<project><builders><hudson.tasks.Shell><command>"+escape(none)+"</command></hudson.tasks.Shell></builders><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions><hudson.model.StringParameterDefinition><name>PW</name></hudson.model.StringParameterDefinition><hudson.model.StringParameterDefinition><name>T</name></hudson.model.StringParameterDefinition></parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties></project>"))
		if slices.ContainsFunc(r.Report[0].Findings, func(f importer.Finding) bool { return f.Rule == "secret" }) {
			t.Errorf("%s: %+v", none, r.Report[0])
		}
	}
}

// TestSecretsOfSettings: what is kept of a job's settings, as a comment or
// whole, is without the passwords that stand there under another name.
func TestSecretsOfSettings(t *testing.T) {
	const more = `<scm class="git"><url>https://me:hunter2@host/x</url></scm><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.PasswordParameterDefinition><name>PW</name><defaultValue>aHVudGVyMg==</defaultValue></hudson.model.PasswordParameterDefinition></parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>`
	r := run(t, importer.Options{}, project("live-1/pay/a", "java -jar /a.jar", more), project("live-1/pay/b", "rsync https://me:hunter2@host/x y", more))
	for _, name := range []string{"apps/pay/a.yaml", "not-imported/live-1/pay/b.xml"} {
		text := file(t, r, name)
		if strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMg") || !strings.Contains(text, "https://me:********@host/x") || !strings.Contains(text, "PW") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
