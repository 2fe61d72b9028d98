# Everything a contributor runs. `make` prints the list.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

FUZZTIME ?= 2s#   how long each fuzz target runs
BENCH ?=#         which rows make bench measures; all unless it is set
VERSION ?= v0.1.0#  what release-check and release make
CONTRACT ?= contract-smoke# what make test holds the API to; contract is the whole

# Tests run in the folder of their package: a relative path would mean another
# folder in each. Unset, tests on EPA's files skip.
ifdef EGRID_DATA
override EGRID_DATA := $(abspath $(EGRID_DATA))
export EGRID_DATA
endif

# What is compiled does not depend on the folder of the clone: a fresh one finds it in
# Go's cache.
GOFLAGS := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath
export GOFLAGS

BIN := $(CURDIR)/.bin
LINT := $(BIN)/golangci-lint
LEFTHOOK := $(BIN)/lefthook
VULNCHECK := $(BIN)/govulncheck
BENCHSTAT := $(BIN)/benchstat
CHECKS := $(addprefix $(BIN)/,gitleaks oasdiff apidiff)
REPORT := go run ./internal/testreport

# With the race detector SQLite, which is C translated to Go, takes five times as long,
# and has no races of ours: it is left out. Packages that start nothing at the same time
# are tested without it, and so are the command, which puts them together, and what reads
# whole files or asks thousands of questions, which takes up to 14 times as long: others
# do the same with a few rows.
RACE = -race '-gcflags=modernc.org/sqlite/lib=-race=false'
SEQUENTIAL := egrid/calc egrid/calc/inventory egrid/shapes egrid/sheet egrid/export egrid/parquetfile egrid/driver egrid/store egrid/internal/cell egrid/book/internal/xls egrid/book/internal/xlsx egrid/book/internal/jsonrows egrid/book/internal/charset httpapi/dashboard httpapi/certificate httpapi/comparison httpapi/wire hosts/internal/terminal hosts/internal/faults internal/doccheck internal/archtest internal/repocheck internal/postman internal/weights internal/trace
SEQUENTIAL := $(addprefix github.com/egrid-analytics/egrid-go/,hosts/egrid $(SEQUENTIAL))
WHOLE := TestReal|TestOverlapping|TestKnown|TestShare|TestRoundTrip|TestExports|TestTop|TestTotals|TestReconcil|TestDifferential
WHOLE := $(WHOLE)|TestClientIsAScanner|TestClientAnswersAsTheStore|TestFilesHaveTheCellsOfCSV|TestNoSQLFromInput|TestEmptyParameters|TestExamples|TestInventory
WHOLE := $(WHOLE)|TestQueriesName|TestAnswersAre

# Packages whose tests wait for servers begin first, so that others run beside them.
WAITING := ./queue/rabbitqueue ./hosts/internal/service ./egrid/pgstore
CONCURRENT = $(filter-out $(SEQUENTIAL),$(shell go list $(WAITING) ./...))
ALONE := TestRestart$$|TestFault

FAULTS = env -u EGRID_TEST_POSTGRES -u EGRID_TEST_AMQP -u EGRID_TEST_S3 internal/scripts/with-services.sh

# Nested modules with Go tests; internal/tools and the module in it hold only pinned tools.
NESTED := $(filter-out ./internal/tools%,$(patsubst %/go.mod,%,$(shell find . -mindepth 2 -name go.mod -not -path '*/.*/*' -not -path '*/testdata/*')))

##@ Daily

.PHONY: help
help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## the whole platform in one process, on the bundled sample
	go run ./hosts/egrid up

.PHONY: test
test: system checks lint page generate-check with-services together nested walk $(CONTRACT) vuln-if-reachable ## everything: lint, tests on real services, browser tests, fuzz and contract smoke, vulnerabilities

.PHONY: generate
generate: ## write anew what is made from the source: golden files, examples, sample, docs/data.md, Postman collection
	@internal/scripts/generate.sh

.PHONY: fmt
fmt: $(LINT) ## format the source
	$(LINT) fmt

##@ Parts of test

.PHONY: system
system: # what tests need beside Go
	@RUNLEVEL=1 internal/scripts/install.sh sqlite3 tmux zsh fish prometheus $(if $(wildcard internal/e2e),chromium)

.PHONY: checks
checks: check-secrets check-environment check-format check-compose check-messages check-pipeline check-api check-openapi check-health # the steps of the hooks that are quick, over everything

check-%: # a step of the hooks over everything: make check-secrets; lefthook.yml names the steps
	@internal/scripts/check.sh $*

.PHONY: lint
lint: $(LINT) ## go vet and golangci-lint
	go vet ./...
	$(LINT) run

.PHONY: page
page: internal/page/node_modules/.installed ## the dashboard's modules: types, lint and unit tests (Node and npm)
	@cd internal/page && npm run --silent check

internal/page/node_modules/.installed: internal/page/package.json internal/page/package-lock.json
	@cd internal/page && npm ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/.installed

.PHONY: generate-check
generate-check: # fails when make generate changes a file
	@internal/scripts/generate.sh --check

.PHONY: arch
arch: ## import budgets and other rules of the architecture
	go test ./internal/archtest

.PHONY: with-services
with-services: # unit, race and restart, beside the services that it finds or starts
	@internal/scripts/with-services.sh $(MAKE) --no-print-directory unit race restart

.PHONY: unit
unit: ## tests of what does one thing after the other and of whole files, in random order; skips are listed
	$(REPORT) -shuffle=on -timeout 30m -skip '^($(ALONE))' $(SEQUENTIAL)
	$(REPORT) -shuffle=on -timeout 30m -run '^($(WHOLE))' $(CONCURRENT)

.PHONY: race
race: ## all others, with the race detector
	$(REPORT) $(RACE) -shuffle=on -timeout 30m -skip '^($(ALONE)|$(WHOLE))' $(CONCURRENT)

.PHONY: restart
restart: # alone, because they stop the servers that other tests use
	$(REPORT) $(RACE) -p 1 -run '^TestRestart$$' ./queue/rabbitqueue ./egrid/pgstore

.PHONY: faults
faults: ## the services while each of their parts breaks, beside servers of its own
	@$(FAULTS) $(REPORT) -count=1 -timeout 40m -skip '^TestFaultSlow' ./hosts/internal/faults -args -kills 60

.PHONY: faults-slow
faults-slow: ## those that take longer: 200 kills, a cluster, 100,000 dead letters, 4,000 files, other versions, make stop
	@$(FAULTS) go test -count=1 -timeout 90m -run '^TestFault(Slow|RandomKills)' -v ./hosts/internal/faults

.PHONY: newcomer
newcomer: ## a fresh clone, from make up to make down: load, break, alerts in Prometheus, repair, replay; nothing is left
	@go run ./internal/newcomer

.PHONY: nested
nested: ## tests of the nested modules
	@report=$$(mktemp -d)/testreport; trap 'rm -r "$$(dirname "$$report")"' EXIT; go build -o "$$report" ./internal/testreport; \
	for dir in $(NESTED); do echo "$$dir" && (cd "$$dir" && "$$report" -timeout 20m ./...) || exit 1; done

.PHONY: walk
walk: internal/page/node_modules/.installed ## every view of the dashboard in Chromium and Firefox: what people do, accessibility, budget
	@internal/scripts/install.sh firefox-esr
	@cd internal/page && npm run --silent walk

.PHONY: exports
exports: ## exports in pandas, polars and DuckDB, by the lines of docs/exports.md
	@internal/scripts/exports.sh

.PHONY: airflow
airflow: ## the DAG of examples/airflow on a real Airflow, beside real servers (Python 3.11)
	@internal/scripts/airflow.sh

.PHONY: consumer
consumer: ## the programs of examples, built and run in a module that takes this one from a proxy
	@go run ./internal/consumer

.PHONY: rehearsal
rehearsal: # a release of this commit for one system, made twice and compared
	@go run ./internal/release rehearse linux/amd64

# Much of a fault and of Airflow is waiting. What stands behind each of them below takes
# what they leave of the processor, and a busy machine does not disturb it.
.PHONY: together
together: # the longest parts of test, two at a time
	@internal/scripts/together.sh faults "fuzz-with-database exports consumer rehearsal"
	@internal/scripts/together.sh airflow "newcomer hooks-check"

.PHONY: contract
contract: ## 20,000 requests to the API on SQLite and PostgreSQL, compared with its document; the Postman collection
	@internal/scripts/contract.sh full

.PHONY: contract-smoke
contract-smoke: # some hundred of them, on SQLite
	@internal/scripts/contract.sh smoke

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (2s)
	@internal/scripts/fuzz.sh $(FUZZTIME)

.PHONY: fuzz-with-database
fuzz-with-database: # the same, also the target that needs PostgreSQL
	@EGRID_TEST_S3=- EGRID_TEST_AMQP=- EGRID_TEST_XLRD=- internal/scripts/with-services.sh $(MAKE) --no-print-directory fuzz

##@ Deployment

.PHONY: up
up: ## every service, on the sample or on EGRID_SEED: containers where Docker runs, else processes
	@examples/reference/deployment.sh up

.PHONY: health
health: ## one line for each service and dependency; fails when one is down
	@examples/reference/deployment.sh health

.PHONY: logs
logs: ## follow the logs
	@examples/reference/deployment.sh logs

.PHONY: stop
stop: ## end every service, and keep its data for the next make up
	@examples/reference/deployment.sh stop

.PHONY: down
down: ## end every service, and remove its data
	@examples/reference/deployment.sh down

.PHONY: compose-check
compose-check: # reads the file of the containers, where a client is there to do it
	@examples/reference/deployment.sh check

.PHONY: containers
containers: ## the containers of make up on stand-in images: the whole walk, and four cuts of the network (root; ARGS=-test.run=TestWalk)
	@internal/scripts/containers.sh $(ARGS)

.PHONY: matrix
matrix: ## the suites of broker and database on newer servers of Debian (root; ROWS="trixie sid")
	@internal/scripts/matrix.sh $(ROWS)

##@ Measuring

.PHONY: bench
bench: system ## the project beside what people would use instead -> docs/performance.md (QUICK=1: a look, nothing written)
	@internal/scripts/with-services.sh go run ./internal/bench $(BENCH)

.PHONY: gobench
gobench: system $(BENCHSTAT) ## Go's benchmarks
	@go test -run='^$$' -bench=. -benchmem ./... | tee $(BIN)/bench.txt
	@$(BENCHSTAT) $(BIN)/bench.txt

.PHONY: cover
cover: ## coverage per function, and in coverage.out
	go test -coverpkg=./... -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -1

.PHONY: vuln
vuln: $(VULNCHECK) ## known vulnerabilities in what we call (needs the network)
	@internal/scripts/vuln.sh $(VULNCHECK)

.PHONY: vuln-if-reachable
vuln-if-reachable: $(VULNCHECK) # the same, and where the network is away it says that nothing was checked
	@internal/scripts/vuln.sh $(VULNCHECK) --may-be-away

.PHONY: screenshots
screenshots: internal/page/node_modules/.installed ## every view of the dashboard at three widths, light and dark -> screenshots/
	@cd internal/page && node walk/screenshots.js $(CURDIR)/screenshots

##@ Release

.PHONY: release-check
release-check: ## says whether HEAD is fit to be VERSION (v0.1.0), and what a maintainer pushes then
	@go run ./internal/release check $(VERSION)

.PHONY: release
release: ## binaries, checksums and SBOMs of VERSION -> .bin/dist
	@go run ./internal/release build $(VERSION)

##@ Set-up

.PHONY: hooks
hooks: $(LEFTHOOK) ## check before each commit and push what lefthook.yml names
	$(LEFTHOOK) install

.PHONY: hooks-check
hooks-check: $(LEFTHOOK) $(VULNCHECK) $(LINT) $(CHECKS) internal/page/node_modules/.installed ## plant a fault for each step of the hooks in a clone, and see it refused
	@internal/scripts/hooks-check.sh

.PHONY: tools
tools: $(LINT) $(LEFTHOOK) $(VULNCHECK) $(BENCHSTAT) $(CHECKS) ## build the pinned tools into .bin

.PHONY: ci
ci: ## what the build server runs
	.ci/run

.PHONY: clean
clean: ## remove what was built, tools included
	rm -rf $(BIN) coverage.out

# The versions are pinned in internal/tools, a module of its own, so that no
# user of the packages inherits them; those of the hooks in one more, so that they
# do not move the versions that the linter was tested with.
$(CHECKS): $(BIN)/%: internal/tools/checks/go.mod internal/tools/checks/go.sum
	@echo "building $*"
	@mkdir -p $(BIN)
	@cd internal/tools/checks && go build -o $@ $$(go list -f '{{.ImportPath}}' tool | grep -E '/$*(/v[0-9]+)?$$')
	@touch $@

$(BIN)/%: internal/tools/go.mod internal/tools/go.sum
	@echo "building $*"
	@mkdir -p $(BIN)
	@cd internal/tools && go build -o $@ $$(go list -f '{{.ImportPath}}' tool | grep '/$*$$')
	@touch $@
