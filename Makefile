# `make` alone tells what there is. Needs Python 3.11 with pip, and git; everything else comes from requirements.lock.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9
CHROMIUM := $(shell command -v chromium chromium-browser google-chrome 2>/dev/null | head -n 1)
PROCESSES := 2
NOT_HERE := $(if $(CHROMIUM),, and not browser)

.PHONY: help setup demo serve test test-slow lint bench lock clean

help:  ## say what there is
	@awk 'BEGIN {FS = ":.*## "; print "Trainyard\n"} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the environment in .venv, from a lock with hashes

demo: $(READY)  ## train LeNet-5 on MNIST over HTTP, with live progress
	@$(BIN)/trainyard demo

serve: $(READY)  ## run a yard here until Ctrl-C: make serve ARGS="--port 8080 --home ~/yard"
	@$(BIN)/trainyard up $(ARGS)

test: $(READY)  ## run the tests: make test ARGS="tests/records -x"
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile -m "not slow$(NOT_HERE)" $(ARGS)

test-slow: $(READY)  ## run the tests that take minutes
	@$(BIN)/python -m pytest -m "slow$(NOT_HERE)" $(ARGS)

lint: $(READY)  ## ruff, mypy, the layer rules, migrations in step with the tables
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	export DATABASE_URL="sqlite:///$$folder/yard.sqlite"; unset TRAINYARD_DATABASE_URL; \
	$(BIN)/alembic --raiseerr upgrade head && $(BIN)/alembic --raiseerr check

bench: $(READY)  ## measure, into bench/results.json
	@$(BIN)/python -m bench $(ARGS)

lock: $(READY)  ## choose versions anew: requirements.lock, requirements-uv.txt and those of the images
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra training --group dev \
		--custom-compile-command "make lock" $(LOCK_ARGS) pyproject.toml -o requirements.lock
	{ echo "# What brings the environment: uv, with the hashes of every wheel. Made by: make lock"; \
	  echo uv==$(UV_VERSION) | $(BIN)/uv pip compile - --generate-hashes --no-deps --no-header --universal -q; \
	} > requirements-uv.txt
	for image in "api" "worker-cpu --extra training" "worker-gpu --extra training-gpu"; do \
	  set -- $$image; name=$$1; shift; platform=--universal; \
	  if [ $$name = worker-gpu ]; then platform="--python-platform x86_64-manylinux_2_28"; fi; \
	  $(BIN)/uv pip compile -q $$platform --generate-hashes --no-header --python-version 3.11 $$* $(LOCK_ARGS) \
	    pyproject.toml -o docker/requirements-$$name.lock; \
	done

clean:  ## remove caches and the demo's home; .venv stays (rm -rf .venv removes it)
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

# The environment. uv installs in a minute what takes pip five; but uv does not read pip's configuration, so where it
# cannot reach what pip can, pip installs. Certificates: the machine's store first, then uv's own.
$(READY): requirements.lock requirements-uv.txt pyproject.toml
	@python=""; for name in python3.11 python3 python; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Trainyard needs Python 3.11; found: $$(python3 --version 2>&1 || true). Install python3.11 and run make again." >&2; \
	  exit 1; \
	fi; \
	echo "Making the environment in $(VENV) with $$("$$python" --version) (about 2 GB; once)"; \
	if ! "$$python" -m venv --clear $(VENV) >/dev/null 2>&1; then \
	  "$$python" -m venv --clear --without-pip $(VENV) && "$$python" -m pip --python $(BIN)/python install -q pip; \
	fi
	@if $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt; then \
	  install="$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock"; \
	  UV_SYSTEM_CERTS=1 $$install || $$install || rm -f $(BIN)/uv; \
	fi; \
	if [ ! -x $(BIN)/uv ]; then \
	  echo "uv could not install; pip does it (some minutes)"; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; \
	fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
