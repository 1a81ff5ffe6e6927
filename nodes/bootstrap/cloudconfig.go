package bootstrap

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// Identify of machines that were started by cloud-init, which has asked the
// cloud's metadata service or config drive already: i-… on EC2, the server's
// UUID on OpenStack.
const IdentifyByCloudInit = `machine=$(cat /var/lib/cloud/data/instance-id 2>/dev/null)`

// IdentifyOnEC2 is IdentifyByCloudInit and brings the instance identity
// document that AWS has signed (RSA-2048, PKCS#7), by IMDSv2. It needs curl.
const IdentifyOnEC2 = IdentifyByCloudInit + `
	imds=http://169.254.169.254/latest
	session=$(curl -q -sS -f -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/api/token") &&
		proof=$(printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$session" |
			curl -q -sS -f -m 5 -K - "$imds/dynamic/instance-identity/rsa2048" | tr -d '\n')`

// scriptPath is in memory, and in a directory of its own that root alone may
// look into.
const scriptPath = "/run/provisioner/bootstrap"

// start runs the script apart from cloud-init, whose last stage would else
// last as long as the machine.
const start = `chmod 0700 /run/provisioner
if command -v systemd-run >/dev/null; then
	exec systemd-run --quiet --collect --unit=provisioner-bootstrap --property=KillMode=control-group /bin/sh ` + scriptPath + `
fi
setsid /bin/sh ` + scriptPath + ` </dev/null >/dev/console 2>&1 &
`

// CloudConfig returns user data for an image with cloud-init that runs a
// script of Script. See https://cloudinit.readthedocs.io for the format.
func CloudConfig(script string) (string, error) {
	type file struct {
		Path        string `yaml:"path"`
		Permissions string `yaml:"permissions"`
		Content     string `yaml:"content"`
	}
	text, err := yaml.Marshal(struct {
		WriteFiles []file     `yaml:"write_files"`
		RunCmd     [][]string `yaml:"runcmd"`
	}{
		WriteFiles: []file{{Path: scriptPath, Permissions: "0700", Content: script}},
		RunCmd:     [][]string{{"/bin/sh", "-c", start}},
	})
	if err != nil {
		return "", fmt.Errorf("write a cloud-config: %w", err)
	}
	if !strings.Contains(string(text), "content: |") {
		return "", fmt.Errorf("write a cloud-config: the script has characters that YAML cannot take as they are")
	}
	return "#cloud-config\n" + string(text), nil
}
