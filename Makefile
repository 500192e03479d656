# fanli. `make help` says what there is.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# Tests are compiled without what only debuggers read: that is a fifth of compiling.
# In the environment, so that it holds for what tests build in their turn.
BARE     := -dwarf=false
test lint: export GOFLAGS := $(GOFLAGS) -gcflags=all=$(BARE)
# SQLite is C in Go's clothes: its memory lies outside of Go's heap, where the race
# detector looks at nothing, but to be told so at every access makes it four times
# as slow. The driver, and all that is ours, is watched. No package with generic code
# may be left out: what it makes of sync's types would stand in for everybody's.
RACE     := -race '-gcflags=modernc.org/sqlite/lib=-race=false $(BARE)' '-gcflags=modernc.org/libc=-race=false $(BARE)'
# Where what is logged meanwhile is collected: outside of the module, so that go test's
# cache does not take it for something that tests read.
LOGS     := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fanli/logs$(CURDIR)
# What go test has kept was logged when it was run; without that log it is run again.
FRESH     = $(if $(wildcard $(LOGS)/$(1)),,-count=1)
# The collector runs less often, for memory that is there; and a program that was
# watched waits a tenth of a second at its end, not a whole one in each of 75 packages.
THRIFT   := GOGC=300 GORACE=atexit_sleep_ms=100
LINT     := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run demo build test test-fast test-cluster lint soak bench fuzz mutation docs proto tools clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## the whole system with its sandbox world; prints the address to open
	$(GO) run ./cmd/fanli serve

demo: ## the whole story on simulated time, with the ledger's proof
	$(GO) run ./cmd/fanli demo

build: ## the binary, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/fanli ./cmd/fanli

tools: # what the tests need, from Debian's packages
	@sh .ci/tools

test: tools ## every test, with the race detector and a real browser; installs what is missing
	$(THRIFT) FANLI_LOGS=$(LOGS)/race FANLI_NEED_ALL=1 $(GO) test $(RACE) -vet=off $(call FRESH,race) -p $$(($$(getconf _NPROCESSORS_ONLN) + 1)) -timeout 14m ./cmd/fanli ./... # the longest first, and one more than there are cores, since some wait
	$(THRIFT) FANLI_LOGS=$(LOGS)/whole FANLI_NEED_ALL=1 sh .ci/whole $(GO) test -vet=off $(call FRESH,whole) -parallel 4 -timeout 14m # what the race detector got a part of
	$(GO) run .ci/leaks.go $(LOGS) # nothing secret or personal was in a log

test-cluster: tools ## the part of `make test` that kills a cluster on real servers; FANLI_SEED=N makes another schedule, or the same one again
	FANLI_NEED_ALL=1 $(GO) test -vet=off -count=1 -timeout 12m -v -run '^TestACluster|^TestASchedule' ./cmd/fanli

test-fast: ## what runs anywhere, without a browser and without the race detector
	$(GO) test -short ./...

lint: ## formatting, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(LINT) run ./...

soak: ## the long ones: a thousand simulated worlds, random kills, fuzzing (three quarters of an hour)
	FANLI_SOAK=1 $(GO) test -timeout 30m -run '^TestSimulation$$' -count=1 -v ./cmd/fanli
	FANLI_SOAK=1 $(GO) test -timeout 60m -run 'Kill|Crash|Dies|Shuffled|AnyOrder' -count=1 -v ./cmd/fanli
	FANLI_SOAK=1 $(GO) test -timeout 30m -run 'EveryEdit|ProofOfMillions' -count=1 -v ./adapters/store
	$(MAKE) fuzz FUZZTIME=120s

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	  echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

MUTATED ?= core/ledger core/rebate core/credit core/withdraw core/money
mutation: ## changes the code of the money's packages line by line, and wants their tests to notice 95 of 100 changes (an hour)
	GOFLAGS=-short .ci/mutation 95 $(MUTATED)

bench: ## recognition, applying a page, crediting, a chat turn
	$(GO) test -run '^$$' -bench . -benchmem ./core/link ./adapters/store ./cmd/fanli

proto: ## the code of the calls between targets, from adapters/rpc/proto (needs buf, protoc-gen-go and protoc-gen-go-grpc)
	cd adapters/rpc && buf lint && buf generate

docs: ## the generated pages: docs/commands.md
	$(GO) test ./bot -run TestCommandsDoc -update

clean: ## what was built
	rm -rf bin artifacts coverage.out
