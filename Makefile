# All set-up is done by the targets themselves. See docs/ for everything else.

.PHONY: build demo demo-migrate demo-openstack test bench soak generate

build:
	CGO_ENABLED=0 go build -o bin/ ./cmd/batchctl ./cmd/provisioner

# The demo needs no EC2, whose client alone takes minutes to compile.
demo:
	CGO_ENABLED=0 go build -o bin/ ./cmd/batchctl
	CGO_ENABLED=0 go build -tags noec2 -o bin/demo/ ./cmd/provisioner
	@sh scripts/demo.sh

# An old Jenkins of 2,000 jobs becomes a tree, and goes to Java 21 in steps.
demo-migrate:
	CGO_ENABLED=0 go build -o bin/ ./cmd/batchctl
	CGO_ENABLED=0 go build -o bin/demo/legacy ./internal/legacy/write
	@sh scripts/demo-migrate.sh

# make demo with machines in a real OpenStack, and in EC2 when that is full.
# Needs Debian 12 and root.
demo-openstack: build
	@scripts/demo-openstack.sh

# Runs every test that this machine can run, and says at the end what it ran
# against. With CI=true a test that cannot run is a failure.
test:
	@sh scripts/test.sh

# Lives through many more seeded days than the tests do: LIVES=1000000.
soak:
	SIM_LIVES=$(or $(LIVES),100000) go test -run TestSimulation -timeout 24h -v ./nodes

bench: build
	@sh scripts/bench.sh

# Makes anew what is generated: the JVM tables, the time zones, the reference,
# the schemas of the example.
generate:
	@scripts/tools.sh
	go generate ./...
