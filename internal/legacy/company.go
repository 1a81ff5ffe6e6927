package legacy

// cluster is a top folder of the Jenkins.
type cluster struct {
	name, phase string
	share       int // of a live heap: its memory is 1/share
}

var (
	live1   = cluster{"live-1", "live", 1}
	live2   = cluster{"live-2", "live", 1}
	staging = cluster{"staging-1", "staging", 2}
	dev     = cluster{"dev-1", "dev", 4}
)

// group is a team, with the folder, the jar and the database of its batches.
type group struct {
	name, version string
	label         string // of the agents that its jobs run on
	mail          string
	keep          int // days
	timeout       int // minutes
	after         string
	hook          bool // tells a chat room when a batch has failed
}

var groups = []group{
	{"settlement", "2.14.3", "batch-large", "settlement@hanbit.example", 90, 180, "", true},
	{"capture", "1.9.0", "batch", "", 30, 60, "", false},
	{"fees", "3.2.1", "batch", "", 30, 60, "settlement/daily-settlement", false},
	{"fraud", "5.0.12", "batch-large", "fraud-oncall@hanbit.example", 30, 30, "", false},
	{"ledger", "4.4.0", "batch-large", "", 365, 240, "", false},
	{"merchants", "1.2.8", "batch", "", 30, 60, "", false},
	{"payouts", "2.0.0", "batch", "payouts@hanbit.example", 90, 120, "", true},
	{"reconciliation", "1.11.4", "batch", "", 60, 120, "", false},
	{"reporting", "6.1.0", "batch-report", "", 30, 240, "", false},
	{"retention", "1.0.3", "batch", "", 14, 360, "", false},
	{"clearing", "2.7.7", "batch-large", "", 90, 120, "", false},
	{"notices", "1.5.2", "batch", "", 14, 30, "", false},
}

var (
	verbs = []string{"settle", "export", "import", "purge", "notify", "reconcile", "aggregate", "sync", "close", "verify"}
	nouns = []string{"cards", "accounts", "refunds", "invoices", "balances", "limits", "orders", "coupons", "points", "taxes"}
)

// era is the time from which a JVM line was copied ever since.
type era struct {
	java    string // home of the JDK on the agents
	options []string
}

// The options that every line has, whatever its era.
var common = []string{
	"-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/var/log/batch/heap", "-XX:+ExitOnOutOfMemoryError",
	"-XX:MetaspaceSize=256m", "-XX:MaxMetaspaceSize=512m", "-XX:+AlwaysPreTouch", "-XX:ErrorFile=/var/log/batch/hs_err_%p.log",
}

var eras = []era{
	{"/usr/lib/jvm/java-11-openjdk", []string{"-XX:+UseG1GC", CorrectOption, "-XX:MaxGCPauseMillis=500", "-XX:InitiatingHeapOccupancyPercent=45",
		"-XX:+ParallelRefProcEnabled", "-Xlog:gc*:file=/var/log/batch/gc-NAME.log:time,uptime,level,tags:filecount=5,filesize=20m"}},
	{"/usr/lib/jvm/java-11-openjdk", []string{"-XX:+UseConcMarkSweepGC", "-XX:CMSInitiatingOccupancyFraction=70", "-XX:+UseCMSInitiatingOccupancyOnly",
		"-XX:+CMSParallelRemarkEnabled", "-XX:+CMSClassUnloadingEnabled", "-XX:+PrintGCDetails", "-Xloggc:/var/log/batch/gc-NAME.log"}},
	{"/usr/lib/jvm/java-11-openjdk", []string{"-XX:+UseParallelGC", "-XX:+UseParallelOldGC", "-XX:ParallelGCThreads=4", "-XX:-UseBiasedLocking",
		"-XX:+PrintGCDetails", "-Xloggc:/var/log/batch/gc-NAME.log"}},
	// The last of them is a JDK 8 line: what it says of GC logs no later JVM
	// starts with.
	{"/usr/java/jdk1.8.0_292", []string{"-XX:+UseParNewGC", "-XX:+UseConcMarkSweepGC", "-XX:+PrintGCDetails", "-XX:+PrintGCDateStamps",
		"-XX:+UseGCLogFileRotation", "-XX:NumberOfGCLogFiles=5", "-XX:GCLogFileSize=20M", "-Xloggc:/var/log/batch/gc-NAME.log"}},
}

// author is a person, whose jobs others have copied.
type author struct {
	name  string
	era   *era
	shell func(*copied) string // how a start of a JVM looks with them
}

var authors = []author{
	{"kim", &eras[0], (*copied).lines},
	{"park", &eras[0], (*copied).oneLine},
	{"lee", &eras[1], (*copied).javaOpts},
	{"choi", &eras[0], (*copied).nohup},
	{"jung", &eras[2], (*copied).hereDoc},
	{"kang", &eras[0], (*copied).exitCode},
}
