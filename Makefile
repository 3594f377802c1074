# `make demo` and `make test` need only python3, git and make: each sets up what it uses.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# Two tests for each core, as half of a test is waiting; every test uses its own folder and free ports.
PYTEST := $(BIN)/pytest -n $(shell python3 -c 'import os; print(2 * os.cpu_count())')
# Hundreds of processes read the same modules: each is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint format bench bench-micro bench-full eval soak fuzz servers lock wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime ## a demo shop, personalized: prints the address to open
	@$(BIN)/datacue-proxy demo

test: lint servers ## lint and every test, with branch coverage
	@$(PYTEST) -m 'not slow' --cov --cov-report=term

lint: $(VENV)/.dev ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## format and mend what ruff can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

eval: $(VENV)/.dev ## how good the recommendations are, beside the usual baselines
	@$(BIN)/python -m benchmarks.eval --plot docs/img/engine-quality.svg

bench: $(VENV)/.dev servers ## side by side with nginx and others, as ratios
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.includes

bench-micro: $(VENV)/.dev ## what each step of a page costs by itself
	@$(BIN)/pytest benchmarks/micro -o addopts=--import-mode=importlib --benchmark-columns=min,median,iqr,ops

bench-full: $(VENV)/.dev servers ## also against other proxies and composers, over sizes, slots, connections, workers (about 15 minutes)
	@$(BIN)/python -m benchmarks --full

soak: $(VENV)/.dev servers ## the long runs: 200 kills, every fsync, four workers, big backlogs (about an hour)
	@$(BIN)/pytest -m slow -s --timeout 5400 tests/journey tests/outbox tests/engine

fuzz: $(VENV)/.dev ## 100,000 malformed requests, every split of every html5lib input
	@$(BIN)/pytest -m slow --timeout 3600 tests/conformance tests/locate

servers: ## the real servers that tests talk to, by apt where that is allowed
	@sh .ci/servers

lock: ## refresh the hash-locked requirements (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements-dev.txt

wheel: $(VENV)/.dev ## build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

clean: ## forget .venv, caches and the demo's state
	rm -rf $(VENV) .bench .datacue .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist .coverage*

$(VENV)/bin/python:
	@sh .ci/venv $(VENV)

# The product alone: hash-checked wheels, then this tree in place. --no-deps: the list is whole, and older pips
# look beyond it for what is asked for with an extra (coverage[toml]), the newest of which has no hash there.
$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "installing the requirements …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.txt
	@$(BIN)/python -c 'import pathlib,sysconfig; pathlib.Path(sysconfig.get_path("purelib"),"datacue_proxy.pth").write_text(str(pathlib.Path.cwd()))'
	@printf '#!/bin/sh\nexec "$(CURDIR)/$(BIN)/python" -m proxy "$$@"\n' > $(BIN)/datacue-proxy && chmod +x $(BIN)/datacue-proxy
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "installing the test requirements …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@touch $@
