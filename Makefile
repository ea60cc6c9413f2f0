# `make` alone lists the targets. They need Python 3.11 or newer with pip and venv, and a POSIX shell.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
VENV    := .venv
BIN     := $(VENV)/bin
ARGS    ?=
FILES   := src tests bench tools hatch_build.py

# The names of these files contain a checksum of the lock files, so that only a changed lock installs again.
RUNTIME := $(VENV)/.runtime-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
DEV     := $(VENV)/.dev-$(shell cat requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)
PIP     := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED  := $(PIP) install --require-hashes --no-deps --requirement
OURSELF := $(PIP) install --no-deps --no-build-isolation --editable .

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(DEV) ## Create .venv with everything in it; fast if nothing changed

.PHONY: up
up: $(RUNTIME) ## Run everything until Ctrl-C (options: ARGS="--port 9000")
	@exec $(BIN)/agentmessage up $(ARGS)

.PHONY: demo
demo: $(RUNTIME) ## Run a scenario of numbers, campaigns and messages, and check every step
	@exec $(BIN)/agentmessage demo $(ARGS)

.PHONY: test
test: $(DEV) ## Run the tests (options: ARGS="-k word")
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

.PHONY: test-fast
test-fast: $(DEV) ## The tests that start no platform and kill no process
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal -m "not processes" $(ARGS)

.PHONY: lint
lint: $(DEV) ## Format, lint, strict types, import contracts
	$(BIN)/ruff format --check $(FILES)
	$(BIN)/ruff check $(FILES)
	$(BIN)/pyright
	$(BIN)/lint-imports

.PHONY: docs
docs: $(DEV) ## Build the site that `up` serves under /docs/guide; a dead link is an error
	@PYTHONPATH=. $(BIN)/python tools/make_site.py

.PHONY: check
check: lint docs test ## Everything that CI runs

.PHONY: format
format: $(DEV) ## Format the code
	$(BIN)/ruff format $(FILES)
	$(BIN)/ruff check --fix-only $(FILES)

.PHONY: generate
generate: $(DEV) ## Write the files that are made from the code: contract, reference pages, SDK
	@for tool in make_contract make_docs make_sdk; do PYTHONPATH=. $(BIN)/python tools/$$tool.py || exit 1; done

.PHONY: release
release: $(DEV) ## Build and try both distributions (ARGS="--changelog" also writes the changelog)
	@PYTHONPATH=. $(BIN)/python tools/release.py $(ARGS)

.PHONY: bench
bench: $(DEV) ## Run the benchmarks (options: ARGS="--short")
	@exec $(BIN)/python -m bench $(ARGS)

.PHONY: soak-messages
soak-messages: $(DEV) ## Send 20,000 messages while processes are killed (MESSAGES=20000 KILLS=20)
	@MESSAGES=$${MESSAGES:-20000} KILLS=$${KILLS:-20} $(BIN)/python -m pytest -s tests/proofs/test_messages_survive.py $(ARGS)

.PHONY: soak-webhooks
soak-webhooks: $(DEV) ## Deliver 20,000 events to 200 endpoints, 80 of them failing, while workers are killed (EVENTS=20000)
	@EVENTS=$${EVENTS:-20000} $(BIN)/python -m pytest -s tests/proofs/test_webhooks_under_fire.py $(ARGS)

.PHONY: soak
soak: $(DEV) ## Test the reconciler with many random seeds (AGENTMESSAGE_SEEDS=1000)
	@AGENTMESSAGE_SEEDS=$${AGENTMESSAGE_SEEDS:-1000} $(BIN)/python -m pytest -n 2 tests/numbers/binding/test_convergence.py $(ARGS)

.PHONY: lock
lock: ## Bring both lock files up to pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	@for target in "requirements.lock" "requirements-dev.lock --extra dev"; do \
		set -- $$target; file=$$1; shift; \
		"$(PYTHON)" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
			| uv pip compile - pyproject.toml "$$@" --no-emit-package agentmessage-sdk \
			--universal --python-version 3.11 --generate-hashes --no-annotate --quiet --no-emit-index-url \
			--custom-compile-command "make lock" $(ARGS) --output-file $$file || exit 1; \
	done

.PHONY: clean
clean: ## Remove .venv and caches; data in var/ stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)

$(RUNTIME): | $(VENV)/bin/python
	@echo "Installing what it runs on into $(VENV) (once)..."
	@$(LOCKED) requirements.lock
	@$(OURSELF)
	@rm -f $(VENV)/.runtime-*
	@touch $@

$(DEV): | $(VENV)/bin/python
	@echo "Installing what it runs on and what it is checked with into $(VENV) (once)..."
	@$(LOCKED) requirements-dev.lock
	@$(OURSELF)
	@rm -f $(VENV)/.runtime-* $(VENV)/.dev-*
	@touch $(RUNTIME) $@
