# Everstock. Needs Python 3.11, Node 20 with npm, and make; everything else is installed into this folder.

PYTHON ?= python3.11
# Passed on: make demo ARGS=--fast, make test ARGS="-k margin"
ARGS ?=
WORKERS ?= 2
MINUTES ?= 60
SEED ?= 1

# First on the path: Ape finds its compiler by `which vyper`.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

# Errors only. The lock names every package, so nothing is to be resolved: pip would look for newer releases of what another
# package asks an extra of, and find them unpinned.
PIP := .venv/bin/python -m pip --quiet --quiet --no-input install --no-deps
CONTRACTS := $(shell find contracts interfaces -name '*.vy' -o -name '*.vyi')

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-integration test-deep mutants coverage replays risks bench volatility proofs lock clean

help: ## this list
	@printf 'Everstock: perpetual options margined in tokenized stocks.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nMore: everstock --help, after make setup, as .venv/bin/everstock.\n'

setup: .build/compiled ## install everything and compile the contracts; instant the second time

demo: setup ## two markets, 48 traders, a crash at real prices; results in build/demo
	@everstock demo $(ARGS)

test: test-unit test-integration ## every test

test-unit: setup ## models and contracts in process, in parallel
	@printf '== contracts and models, in process\n'
	@python -m pytest tests --ignore=tests/integration -n $(WORKERS) --dist worksteal -q $(ARGS)

test-integration: setup ## the whole on a forked chain, through Ape
	@printf '== integration, on a forked chain through Ape\n'
	@python -m pytest tests/integration -p no:boa_test -q $(ARGS)

test-deep: setup ## the stateful machines for MINUTES (60) from SEED (1), on all cores
	@python -m tests.stateful.deep --minutes $(MINUTES) --seed $(SEED) $(ARGS)

mutants: setup ## put faults into the contracts, one by one; machines or tests must find each (an hour)
	@python -m tests.mutants.command $(ARGS)

coverage: setup ## lines and branches of the contracts that the tests in process reach; writes docs/COVERAGE.md
	@python -m tests.coverage --workers $(WORKERS) $(ARGS)

replays: setup ## past crashes with three books against the contracts; writes docs/REPLAYS.md, in ten minutes
	@everstock replay --all --out build/replay $(ARGS)

risks: setup ## one jump of each size with three books and funds; writes the tables of docs/RISKS.md, in ten minutes
	@everstock risks $(ARGS)

bench: setup ## measure gas and code sizes; writes docs/GAS.md
	@everstock bench $(ARGS)

volatility: setup ## past volatility as the contract measures it, beside numpy; writes docs/VOLATILITY.md
	@everstock volatility $(ARGS)

proofs: setup .venv-proofs/installed ## prove the contracts' arithmetic; writes docs/PROOFS.md, in ten minutes
	@everstock proofs $(ARGS)

# package-lock.json is kept by hand: one exact version of one package, with every platform's binary listed.
lock: ## resolve the Python packages of pyproject.toml anew
	@printf 'resolving Python packages\n'
	@rm -rf build/lock
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --quiet --quiet --no-input install uv
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra test \
		--no-emit-index-url --custom-compile-command 'make lock' --upgrade pyproject.toml -o requirements.lock
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' --upgrade requirements-proofs.in -o requirements-proofs.lock

clean: ## remove all that was installed or built here
	rm -rf .venv .venv-proofs node_modules .build build .cache .pytest_cache .hypothesis everstock.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/pyvenv.cfg:
	@printf '[1/5] Python environment\n'
	@command -v $(PYTHON) >/dev/null || { printf 'Python 3.11 is needed; name it with PYTHON=...\n' >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# The solvers live apart from all else: only proofs need them, and their pins would not go with ours.
.venv-proofs/installed: requirements-proofs.lock
	@printf 'solvers\n'
	@$(PYTHON) -m venv .venv-proofs
	@.venv-proofs/bin/python -m pip --quiet --quiet --no-input install --no-deps --require-hashes -r requirements-proofs.lock
	@touch $@

.venv/installed: requirements.lock | .venv/pyvenv.cfg
	@printf '[2/5] Python packages (a minute or two)\n'
	@$(PIP) --require-hashes -r requirements.lock
	@touch $@

.venv/editable: pyproject.toml .venv/installed
	@printf '[3/5] Everstock itself\n'
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The platform package brings the binary: no script has to run.
node_modules/installed: package-lock.json
	@printf '[4/5] Anvil\n'
	@command -v npm >/dev/null || { printf 'Node 20 with npm is needed\n' >&2; exit 1; }
	@npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@

.build/compiled: $(CONTRACTS) ape-config.yaml .venv/editable node_modules/installed
	@printf '[5/5] contracts\n'
	@python -m everstock.chain.artifacts
	@touch $@
