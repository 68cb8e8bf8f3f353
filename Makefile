# make test runs everything that must pass; see CONTRIBUTING.md for the rest.
GO        ?= go
LINT      := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BENCHSTAT := $(GO) run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
FUZZTIME  ?= 30s

.PHONY: all build test race lint fuzz gen conformance record bench bench-peers bench-compare deps

all: build

build: ## bin/coatcheck
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/coatcheck ./cmd/coatcheck

test: ## everything, with the race detector: units, transcripts, real clients, a real browser
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...

race: test

deps: ## what the tests need on a Debian machine
	.ci/install-deps

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(LINT) run ./...

gen: ## generated files; leaves no difference when they are current
	$(GO) generate ./...

fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; \
	done

conformance: ## replay all transcripts on a Redis: make conformance REDIS=127.0.0.1:6379
	@test -n "$(REDIS)" || { echo "say which server; its keys are flushed: make conformance REDIS=127.0.0.1:6379"; exit 2; }
	$(GO) run ./internal/transcript/cmd/transcript replay -addr $(REDIS) testdata/transcripts

record: ## write a real server's answers into a transcript: make record REDIS=… FILE=…
	@test -n "$(REDIS)" -a -n "$(FILE)" || { echo "say which server and file; its keys are flushed: make record REDIS=127.0.0.1:6379 FILE=…"; exit 2; }
	$(GO) run ./internal/transcript/cmd/transcript record -addr $(REDIS) $(FILE)

bench: ## Go benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-peers: ## ours beside redis-server and others, interleaved in one run
	$(GO) run ./bench/cmd/peers

bench-compare: ## Go benchmarks of REF and of this tree: make bench-compare REF=main
	bench/compare $(REF)
