# Rollcall. `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ADDR ?= 127.0.0.1:8080
DATA ?= .rollcall
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# One line of progress before each step, so that a long first run says what it is waiting for.
say = @printf '\n== %s\n' "$(1)"

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: tools ## start the whole system on this machine, with three demo directories (ADDR=, DATA=)
	$(call say,Building and starting Rollcall on $(ADDR); its data is kept in $(DATA))
	@go build -o bin/rollcall ./local
	@exec bin/rollcall -addr $(ADDR) -data $(DATA)

.PHONY: test
test: tools servers ## run every test, with real directory servers
	$(call say,Checking formatting and vet and go.mod)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run: make fmt'; exit 1; }
	@go mod tidy -diff
	@go vet ./...
	$(call say,Linting (the first time the linter is compiled))
	@$(GOLANGCI_LINT) run ./...
	$(call say,Running the tests; the whole path against OpenLDAP and Samba takes about a minute)
	@# -count=1: the end-to-end tests build and start programs, which the test cache knows nothing of.
	@go test -count=1 -timeout 20m ./...

.PHONY: race
race: tools servers ## run every test under the race detector (needs a C compiler)
	@go test -race -timeout 40m ./...

.PHONY: bench
bench: tools servers ## measure everything beside its peers and write docs/benchmarks.md (BENCH_FULL=1: 1,000,000 entries too)
	@go run ./bench

.PHONY: fuzz
fuzz: tools ## run each fuzz target for FUZZTIME (default 20s)
	@for package in $$(go list ./shared/...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "== $$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-20s} -fuzzminimizetime 10x $$package; \
	  done; \
	done

.PHONY: lint
lint: tools ## run the linters alone
	@$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: ## format the code
	@gofmt -w $$(git ls-files '*.go')
	@go mod tidy

.PHONY: generate
generate: ## write docs/openapi.json and the demo directories anew
	@go generate ./...
	@go test ./local -run TestTheStoredDocument -update

.PHONY: servers
servers: ## install the directory servers that the tests start (Debian's packages)
	@bash e2e/install/debian.sh

.PHONY: tools
tools:
	@command -v go >/dev/null || { echo 'Rollcall needs Go 1.26 or newer: https://go.dev/dl/'; exit 1; }

.PHONY: clean
clean: ## remove what was built; data in $(DATA) stays
	@rm -rf bin dist cdk.out e2e/out bench/cache
