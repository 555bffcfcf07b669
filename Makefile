# Python 3.11 or later, git and make are all this needs; `make help` lists the targets.

SHELL := /bin/sh
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# More arguments for pytest, as in: make test PYTEST_ARGS="-k session tests/integration"
PYTEST_ARGS ?=

# More arguments for the measurement, as in: make bench BENCH_ARGS=--help; BENCH=startup measures a start of the service.
BENCH ?= session_check
BENCH_ARGS ?=

# More arguments for the defects, as in: make mutations MUTATIONS_ARGS=challenge
MUTATIONS_ARGS ?=

# More arguments for the resolver, as in: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=
# Extras stay, since pip takes `coverage[toml]` for another package than the pinned `coverage`.
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-strip-extras --custom-compile-command "make lock" $(LOCK_ARGS)

.DEFAULT_GOAL := help
.PHONY: help run test test-full mutations lint format lock bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# Whoever runs the service from a work tree is developing it; the environment or the command line may say otherwise.
run: export APP_ENV ?= development
run: export REGISTRATION ?= open
run: .venv/runtime-installed ## start the service on http://localhost:8000 (PORT=9000, DATABASE_URL=postgresql://… to change)
	@$(BIN)/flask db upgrade && $(BIN)/flask welcome && exec $(BIN)/gunicorn wsgi:app

test: .venv/dev-installed tests/peers/node_modules/.installed ## run every test, the repeated ones with a tenth of their counts (PYTEST_ARGS="-k name")
	@CHROMIUM="$$(bin/find-chromium)"; STRACE="$$(bin/find-strace)"; NODE="$$(bin/find-node)"; NGINX_PROGRAM="$$(bin/find-nginx)"; CADDY="$$(bin/find-caddy)"; \
	export CHROMIUM STRACE NODE NGINX_PROGRAM CADDY; \
	exec $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-full: export TEST_FULL := 1
test-full: export TRIALS_TABLE := $(CURDIR)/.trials.md
test-full: ## run every test with its full counts; the last lines are a table of trials and findings
	@rm -f .trials.md; $(MAKE) --no-print-directory test; result=$$?; cat .trials.md; exit $$result

mutations: .venv/dev-installed ## put deliberate defects into copies of the code; the tests must notice each
	@$(BIN)/python -m tests.mutations $(MUTATIONS_ARGS)

lint: .venv/dev-installed ## check style, types, the direction of imports and the building of SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.support.built_sql app migrations wsgi.py

format: .venv/dev-installed ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/dev-installed ## pin the dependencies of pyproject.toml again (LOCK_ARGS=--upgrade)
	@$(LOCK) pyproject.toml --output-file requirements.txt
	@$(LOCK) --constraint requirements.txt --group dev pyproject.toml --output-file requirements-dev.txt
	@for peer in bench/peers/*/requirements.in; do $(LOCK) --no-annotate --python-version 3.11 $$peer --output-file $${peer%.in}.txt || exit 1; done

bench: .venv/dev-installed ## measure a session check beside the alternatives' (BENCH_ARGS=--quick takes a minute; BENCH=startup)
	@exec $(BIN)/python -m bench.$(BENCH) $(BENCH_ARGS)

clean: ## remove the virtual environment and the tools' caches; instance/ stays
	@rm -rf .venv bench/.data bench/peers/*/.venv bench/peers/node/node_modules tests/peers/node_modules .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# A stamp is newer than the list it stands for: a second start installs nothing and needs no network.
.venv/bin/python:
	@echo "Making the virtual environment …"
	@python="$$(bin/find-python)" && "$$python" -m venv --clear .venv

.venv/runtime-installed: requirements.txt | .venv/bin/python
	@echo "Installing what the service needs …"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/dev-installed: requirements-dev.txt .venv/runtime-installed
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@

# Without it the tests that need the provider say so themselves, and the others run.
tests/peers/node_modules/.installed: tests/peers/package-lock.json tests/peers/.npmrc | .venv/dev-installed
	@echo "Installing the OpenID provider that the tests sign in with …"
	@node="$$(bin/find-node)" && npm="$$(dirname "$$node")/../lib/node_modules/npm/bin/npm-cli.js" && cd tests/peers && \
	if [ -f "$$npm" ]; then "$$node" "$$npm" ci --silent; else npm ci --silent; fi && touch "$(CURDIR)/$@" || \
	echo "openbadges-system: the OpenID provider of the tests could not be installed" >&2
