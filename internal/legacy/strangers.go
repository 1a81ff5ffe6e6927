package legacy

import "fmt"

// stranger is the i-th job that no batch can be made of.
func stranger(i int) Config {
	kinds := []struct{ name, shell string }{
		{"backup-logs", "rsync -a --delete /var/log/batch/ backup.hanbit.example::logs/\n"},
		{"close-then-open", "java -Xmx1g -jar /opt/batch/ledger/lib/close.jar\njava -Xmx1g -jar /opt/batch/ledger/lib/open.jar\n"},
		{"month-end", "LAST=$(date -d 'yesterday' +%Y%m%d)\njava -Xmx2g -jar /opt/batch/ledger/lib/ledger-batch.jar --date=$LAST\n"},
		{"old-style", ". /etc/batch/env.sh\njava $JAVA_OPTS -cp $CLASSPATH com.hanbit.batch.Main\n"},
	}
	k := kinds[i%len(kinds)]
	w := &writer{}
	w.WriteString(xmlHeader)
	w.open("project")
	w.texts("description", "", "keepDependencies", "false")
	w.line("<properties/>")
	w.line(`<scm class="hudson.scm.NullSCM"/>`)
	w.texts("canRoam", "true", "disabled", "false")
	w.line("<triggers/>")
	w.text("concurrentBuild", "false")
	w.open("builders")
	w.open("hudson.tasks.Shell")
	w.text("command", k.shell)
	w.close("hudson.tasks.Shell")
	w.close("builders")
	w.line("<publishers/>")
	w.line("<buildWrappers/>")
	w.close("project")
	return Config{Name: fmt.Sprintf("live-1/operations/%s-%02d", k.name, i), XML: w.String()}
}
