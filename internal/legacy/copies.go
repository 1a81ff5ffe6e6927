package legacy

import (
	"fmt"
	"strconv"
	"strings"
)

// copied is a batch on one cluster: a copy of the job that somebody made of
// it first.
type copied struct {
	*batch
	cluster
}

func (b *batch) copyTo(c cluster) *copied { return &copied{b, c} }

// every reports whether the batch is one of each n of its group; use sets it
// off, so that one habit does not always come with another.
func (c *copied) every(n, use int) bool { return (c.index/len(groups)*7+use*13)%n == 0 }

// home is where the group's programs are on the agents.
func (c *copied) home() string { return "/opt/batch/" + c.group.name }

func (c *copied) jar() string {
	return c.home() + "/lib/" + c.group.name + "-batch-" + c.version + ".jar"
}

// memory writes a heap as people do: whole gigabytes where there are any.
func memory(mb int) string {
	if mb%1024 == 0 {
		return strconv.Itoa(mb/1024) + "g"
	}
	return strconv.Itoa(mb) + "m"
}

// options is the JVM line without heap and properties: that of the era, with
// the small differences that copying brings.
func (c *copied) options() []string {
	out := []string{"-Xms" + memory(c.heap/c.share), "-Xmx" + memory(c.heap/c.share), "-Xss1m"}
	for _, o := range c.era.options {
		o = strings.ReplaceAll(o, "NAME", c.batch.name)
		if o == CorrectOption && c.index == 0 && c.cluster == live1 {
			o = Misspelt
		}
		out = append(out, o)
	}
	out = append(out, common...)
	switch c.difference {
	case 1: // somebody needed more classes
		out = replaced(out, "-XX:MaxMetaspaceSize=512m", "-XX:MaxMetaspaceSize=1g")
	case 2: // and somebody more threads
		out = replaced(out, "-Xss1m", "-Xss2m")
	case 3:
		out = append(out, "-Djava.net.preferIPv4Stack=true")
	case 4:
		out = append(out, "-XX:+UseStringDeduplication")
	case 5: // or lost a line when copying
		out = replaced(out, "-XX:+AlwaysPreTouch", "")
	}
	return out
}

func replaced(options []string, old, with string) []string {
	var out []string
	for _, o := range options {
		if o == old {
			o = with
		}
		if o != "" {
			out = append(out, o)
		}
	}
	return out
}

// properties are the system properties, as they stand on the line.
func (c *copied) properties() []string {
	return []string{
		"-Dfile.encoding=UTF-8", "-Duser.timezone=Asia/Seoul", "-Dspring.profiles.active=" + c.phase,
		"-Dapp.name=" + c.batch.name, "-Dlog.dir=/var/log/batch/" + c.group.name,
		fmt.Sprintf("-Dspring.datasource.url=jdbc:mysql://%s-db.%s.hanbit.example:3306/%s", c.group.name, c.cluster.name, c.group.name),
		"-Dspring.datasource.hikari.maximum-pool-size=5",
	}
}

// args are the arguments of the program; date is how the author writes the
// parameter.
func (c *copied) args(date string) []string {
	args := []string{"--spring.batch.job.names=" + c.batch.name, "--date=" + date}
	if c.every(3, 1) {
		args[0] = "--job=" + c.program
	}
	if c.every(9, 2) {
		args = append(args, fmt.Sprintf("--chunk=%d", 500*(1+c.index%4)))
	}
	return args
}

// schedule is the spec of the timer, or "" for a job that only others start.
func (c *copied) schedule() string {
	switch {
	case c.group.after != "" && c.every(3, 3):
		return ""
	case c.every(10, 4):
		return fmt.Sprintf("TZ=Asia/Seoul\n# 평일 업무시간\n%s %d * * 1-5\n%s %d * * 1-5", c.minute, c.hour, c.minute, (c.hour+12)%24)
	case c.phase != "live":
		return fmt.Sprintf("TZ=Asia/Seoul\nH %d * * 1-5", c.hour)
	}
	return fmt.Sprintf("TZ=Asia/Seoul\n%s %d * * *", c.minute, c.hour)
}
