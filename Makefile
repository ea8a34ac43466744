# What can be done here; `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where `make build` puts the binary.
OUT ?= bin/usher
# How long all tests together may take. Compiling gotd/td with the race detector is part of it.
TIMEOUT ?= 45m
# How many customers `make hundred` has.
CROWD ?= 100
# What the runs of `make torture` are drawn from.
SEED ?= 1
# How long `make fuzz` runs each target, and which packages' targets.
FUZZTIME ?= 10s
FUZZ ?= .

# The packages that know neither Telegram's protocol nor a browser: they compile in seconds.
FAST := ./chain/... ./docs ./flows/... ./ticketgen/... ./bot/simulator ./bot/simulator/markup
ifneq ($(shell command -v redis-server),)
FAST += ./storage/...
endif

# Tools have a module of their own, so that their dependencies are not Usher's.
TOOL := go tool -modfile=tools/go.mod

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## the page to be a customer on: go run . demo
	go run . demo

.PHONY: check
check: compiles vet format staticcheck ## fast: build, vet, format, staticcheck, unit tests without the MTProto packages
	go test -short -timeout 5m $(FAST)

.PHONY: test
test: needs ## everything that CI tests; installs redis-server and Chromium where they are missing
	USHER_NEED_BROWSER=1 go test -race -cover -count=1 -timeout $(TIMEOUT) ./...

.PHONY: hundred
hundred: needs ## the tests with a crowd, with 100 customers each (CROWD=… for another number); they print how long things took
	TEST_CROWD=$(CROWD) go test -count=1 -timeout $(TIMEOUT) -v -parallel 1 -run '^TestCrowd' .

.PHONY: torture
torture: needs ## stories of three customers, with a death or a fault at each call site in each state of an order (SEED=… for others)
	go test -count=1 -timeout 60m -v -run '^TestTorture' . -torture.full -torture.seed $(SEED) -torture.kills 50

.PHONY: torture-proof
torture-proof: needs ## five mistakes that no release has: which run of the torture finds each of them
	SEED=$(SEED) .ci/torture-proof

.PHONY: models
models: ## thousands of random stories of an order, and a store that comes back older after each save: some minutes
	go test -count=1 -timeout $(TIMEOUT) ./flows/order -run TestModel -rapid.checks=5000 -rapid.seed=$$RANDOM$$RANDOM
	go test -count=1 -timeout $(TIMEOUT) ./flows/order -run TestAStoreThatComesBackOlder -everypair

.PHONY: lint
lint: vet format staticcheck vulncheck ## vet, format, staticcheck, known vulnerabilities

.PHONY: build
build: ## the static binary, in bin/usher (OUT=… for another place)
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $(OUT) .

.PHONY: container
container: ## build what the Dockerfile builds and try it as it runs there (needs root, no Docker)
	.ci/container

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (FUZZ=./chain for some)
	.ci/fuzz $(FUZZTIME) $(FUZZ)

.PHONY: pictures
pictures: needs ## renew docs/pictures
	USHER_NEED_BROWSER=1 go test -race -cover -count=1 -timeout $(TIMEOUT) -run 'TestTheStoryOnThePage|TestGallery|TestEveryPictureIsListed' . -update

.PHONY: tables
tables: ## print each row of the state tables with each outcome of its calls and its test; renew what is made from code
	@cd flows/order && go test -count=1 -run TestEveryRowAndOutcomeHasACase -cases
	go test -count=1 ./flows/order -run TestDiagram -update
	go test -count=1 ./flows -update
	go test -count=1 ./docs -update

.PHONY: needs
needs: ## install what the tests start, where it is missing: redis-server, Chromium, a C compiler
	.ci/needs

.PHONY: compiles
compiles:
	go build ./...

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: format
format: ## name the files that gofumpt would change; `make reformat` changes them
	@files=$$($(TOOL) gofumpt -l .); if [ -n "$$files" ]; then printf 'not formatted by gofumpt:\n%s\n' "$$files"; exit 1; fi

.PHONY: reformat
reformat: ## format with gofumpt
	$(TOOL) gofumpt -w .

.PHONY: staticcheck
staticcheck: ## staticcheck
	$(TOOL) staticcheck ./...

.PHONY: vulncheck
vulncheck: ## known vulnerabilities; a database that can't be reached is said, and no error
	.ci/vulncheck
