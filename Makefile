# All set-up is done by the targets themselves. See docs/ for everything else.

.PHONY: build demo test bench generate

build:
	go build -o bin/batchctl ./cmd/batchctl

demo: build
	@sh scripts/demo.sh

# Runs every test that this machine can run, and says at the end what it ran
# against. With CI=true a test that cannot run is a failure.
test:
	@sh scripts/test.sh

bench: build
	@sh scripts/bench.sh

# Makes anew what is generated: the JVM tables, the time zones, the reference,
# the schemas of the example.
generate:
	@scripts/tools.sh
	go generate ./...
