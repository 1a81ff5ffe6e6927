package factor_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestVariablesAsPeopleName: a variable is called after what it is, one that is
// the same in several fields is one, and a value that less than a third says is
// nobody's default.
func TestVariablesAsPeopleName(t *testing.T) {
	files := map[string]string{"clusters/live-1.yaml": "phase: live\n"}
	for i := range 14 {
		region, release := []string{"kr", "jp", "us", "eu"}[i%4], "3.1.0"
		if i%5 == 0 {
			release = "3.2.0-rc1"
		}
		name := fmt.Sprintf("job-%d", i)
		files["apps/pay/"+name+".yaml"] = batch(name, "live-1", fmt.Sprintf(`  java:
    options: [-XX:+UseG1GC, -XX:MaxRAMPercentage=75, -XX:+ExitOnOutOfMemoryError, -Duser.region=%s]
    properties: {spring.datasource.url: "jdbc:mysql://%s.db.hanbit.example:3306/main?useSSL=true"}
  artifact: {url: "https://repo.example/releases/pay/batch-pay-%s-all.jar"}
  args: [--verbose, --quiet-start, --region=%s, --db=ora%d]
  env: {LEDGER_URL: "https://ledger-%d.hanbit.example/api/v1", JDBC: "jdbc:oracle:thin:@ora%d.hanbit.example:1521/BATCH"}
`, region, region, release, region, i%2, i%3, i%2))
	}
	now, _ := factored(t, tree(files))
	global, leaf := string(now["global.yaml"].Data), string(now["apps/pay/job-1.yaml"].Data)
	for _, line := range []string{"-Duser.region={{REGION}}", "jdbc:mysql://{{REGION}}.db.hanbit.example", "batch-{{group}}-{{VERSION}}-all.jar", "--region={{REGION}}", "--db={{DB}}", "VERSION: 3.1.0", "https://ledger-{{LEDGER_URL_PART}}.hanbit.example/api/v1", "jdbc:oracle:thin:@{{JDBC_HOST}}.hanbit.example"} {
		if !strings.Contains(global, line) {
			t.Errorf("global.yaml has no %q:\n%s", line, global)
		}
	}
	if strings.Contains(global, "  REGION:") || !strings.Contains(leaf, "  REGION: jp\n") || strings.Contains(leaf, "USER_REGION") {
		t.Errorf("%s\n%s", global, leaf)
	}
}
