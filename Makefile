# Nothing but Python (3.11 or newer) and make is needed; `make help` lists what there is.
# Everything runs through `python -m` inside .venv, so no shell set-up, PATH or activation matters.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help setup book pdf zip measure bench data test coverage test-slow test-network check format claims reproduce serve lock clean

# The first Python that is new enough; looked for only when an environment has to be made.
# Another one: make PYTHON=python3.13
FIND_PYTHON = for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo "$$p"; exit; fi; done; echo python3
GIVEN := $(PYTHON)
PYTHON ?= $(shell $(FIND_PYTHON))
THIS_PYTHON := $(if $(GIVEN),--this-python)

VENV ?= .venv
TOOLS := .tools
PY = "$(VENV)/bin/python"
SETUP = "$(PYTHON)" tools/setup_env.py $(THIS_PYTHON)
# Two workers: the tests are written for a machine with two cores.
PYTEST = $(PY) -m pytest -n 2

# One language and character set for every tool, whatever the caller's.
export LC_ALL := C.UTF-8
export PYTHONUTF8 := 1
# A user's own packages and paths have no place in a result.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME
# Python compiles a package once and keeps it: a caller that forbids it doubles many start-ups.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## make .venv from the hash-pinned lock (the other targets do it by themselves)
	@$(SETUP) "$(VENV)" requirements.lock --project

book: setup ## build the book from data/derived and say where its pages are
	@$(PY) tools/build_book.py

pdf: book ## print the whole book to dist/open-model-record.pdf (needs Chromium)
	@$(PY) tools/print_book.py --to dist/open-model-record.pdf

zip: book ## pack the book into dist/open-model-record.zip, which opens from disk
	@$(PY) tools/package_site.py --to dist/open-model-record.zip

measure: book ## measure the pages as a slow phone sees them (needs Chromium)
	@$(PY) tools/measure_site.py

bench: setup ## measure the reading of a whole Hub, against other ways (2.4 GB of synthetic files; minutes)
	@$(PY) benchmarks/run.py --json dist/benchmarks.json

data: setup ## derive data/derived again from the raw files
	@$(PY) -m analysis build

test: check ## run the checks and every fast test
	@$(PYTEST)

coverage: setup ## run the fast tests with branch coverage; fails below 90 % of analysis/
	@$(PYTEST) --cov --cov-report=term

test-slow: setup ## run the slow tests (rebuilds, browser)
	@$(PYTEST) -m "slow and not network"

test-network: setup ## run the tests that really download
	@$(PY) -m pytest -m network

check: setup ## lint, format, types, import directions, citation file
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy --num-workers 2
	@$(PY) -c "from importlinter.cli import lint_imports_command as c; c()" --no-logo
	@$(SETUP) "$(TOOLS)/cff" tools/cffconvert.lock
	@"$(TOOLS)/cff/bin/python" -c "from cffconvert.cli.cli import cli; cli()" --validate -i CITATION.cff

format: setup ## format the code and apply the safe lint fixes
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

claims: setup ## print every claim with its verdicts
	@$(PY) -m analysis claims

reproduce: setup ## fetch all raw files, rebuild every table, compare byte for byte, build the book
	@$(PY) -m analysis fetch --all
	@$(PY) -m analysis verify
	@$(PY) -m analysis build --check
	@$(PY) -m analysis claims
	@$(PY) tools/build_book.py

serve: setup ## show the built book on http://127.0.0.1:8000
	@$(PY) -m http.server --bind 127.0.0.1 --directory book/_build/html 8000

# An index or proxy of the machine must leave no trace in a lock, hence the --no-emit options.
LOCK = "$(TOOLS)/lock/bin/python" -m uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"
lock: ## resolve the locks anew (UPGRADE=1 moves every pin to its newest release)
	@$(SETUP) "$(TOOLS)/lock" tools/uv.lock
	@$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras -o requirements.lock pyproject.toml
	@$(LOCK) $(if $(UPGRADE),--upgrade) --no-emit-package docopt -o tools/cffconvert.lock tools/cffconvert.in
	@$(LOCK) $(if $(UPGRADE),--upgrade) -o tools/uv.lock tools/uv.in

clean: ## remove what was built (environments stay; `make clean ENV=1` removes them too)
	@rm -rf book/_build book/.jupyter_cache htmlcov .coverage .coverage.* dist
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@$(if $(ENV),rm -rf "$(VENV)" "$(TOOLS)",:)
