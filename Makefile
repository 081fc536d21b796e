# Everything that is done with a checkout. `make` lists it; each target sets up what it needs.

# Another interpreter is chosen by `make setup PYTHON=python3.13`; what a target passes on is in ARGS.
PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# File by file to each processor, and not the longest files last.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

# What is compiled is kept, whatever the environment says: the tests start some hundred processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test faults browser lint format bench lock secrets clean

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Make .venv with exactly what the lock names, and this checkout in it.

demo: $(READY) ## Serve, walk two sample models, show what came out (ARGS=--exit ends by itself).
	$(BIN)/opendai demo $(ARGS)

serve: $(READY) ## Serve on http://localhost:8000 with the data in ./data (ARGS=... passes on).
	$(BIN)/opendai serve $(ARGS)

test: $(READY) browser ## Run the tests (ARGS=tests/storage passes on to pytest).
	$(PYTEST) -m "not slow or language_model" $(ARGS)

faults: $(READY) browser ## Run the slow tests: processes are killed, services go away, browsers and clients of others log in.
	$(PYTEST) -m "slow and not language_model" $(ARGS)

browser: ## Fetch a Chromium for the tests where there is none (as root on Debian; else it says what to do).
	@sh tests/fetch_browser.sh

lint: $(READY) ## Check the format, the code, the types, the layers and the container files.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/docker-compose -f docker-compose.yml config -q

format: $(READY) ## Put the code into the format that lint asks for.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

bench: $(READY) ## Measure beside peers, with targets and limits (ARGS=--with-mlflow installs the one that is missing).
	$(BIN)/python -m bench $(ARGS)

lock: $(READY) ## Write the lock files anew from pyproject.toml (ARGS=--upgrade takes newer releases).
	$(LOCK) --group dev $(ARGS) --output-file requirements.lock
	$(LOCK) $(ARGS) --output-file requirements-runtime.lock

secrets: ## Make the secrets of docker-compose.yml in ./secrets; what is there stays.
	sh deploy/make-secrets.sh secrets

clean: ## Remove .venv, what was built and the caches; data and secrets stay.
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: a set-up that was broken off is done again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "opendai needs Python 3.11 or newer, and $(PYTHON) is not: make setup PYTHON=python3.13" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@
