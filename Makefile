# Everything a person does here. `make` alone explains itself.
PY := .venv/bin/python
SHELL := /bin/sh
.NOTPARALLEL:
TESTS ?= tests
WORKERS ?= 2
.DEFAULT_GOAL := help
.PHONY: help run test check bench format lock runtime-environment environment static server-tests browser-tests

help:  ## this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: runtime-environment  ## serve the platform and smdvs with demonstration data; Ctrl-C stops
	@exec $(PY) -m deploy.demo

test: environment  ## everything that has to pass, real PostgreSQL, Redis, Chromium and foreign clients included
	@deploy/test-programs.sh postgresql redis chromium fonts wrk nginx apache node
	@$(MAKE) --no-print-directory static server-tests browser-tests

# The units below the protocol and the pages, so that it stays under a minute; `make test` runs everything.
UNITS ?= tests/domain tests/storage tests/services
check: static  ## the fast loop, under a minute: formatter, linter, types, import contracts, unit tests
	$(PY) -m pytest -q -n $(WORKERS) -m "not server and not browser" $(UNITS)

bench: environment  ## the project's own benchmark; prints a table
	@deploy/test-programs.sh postgresql redis wrk
	@exec $(PY) -m bench

format: environment  ## rewrite the code as the formatter and linter want it
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: environment  ## compile requirements/*.in again, with hashes
	cd requirements && for name in runtime dev; do ../$(PY) -m piptools compile --quiet --no-strip-extras \
	  --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --output-file=$$name.txt $$name.in || exit 1; done

runtime-environment:
	@deploy/venv.sh runtime

environment:
	@deploy/venv.sh runtime dev

static: environment
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'

# The rules of the business and the protocol are covered completely, branches included.
server-tests: environment
	$(PY) -m pytest -q -n $(WORKERS) -m "not browser" --cov --cov-report= $(TESTS)
	$(PY) -m coverage report --include='idp/domain/*,idp/oauth/*' --fail-under=100
	$(PY) -m coverage report --skip-covered

# Pytest answers 5 when it finds no test: right for a part of the tests, never for all of them.
browser-tests: environment
	$(PY) -m pytest -q -n $(WORKERS) --dist loadfile -m browser $(TESTS) || { code=$$?; [ $$code = 5 ] && [ "$(TESTS)" != tests ]; }
