# Each recipe is one line that a person could type.
# EXIT=1 ends what would otherwise stay open; ARGS="…" goes on to the program behind.

PYTHON ?= python3
SETUP = @$(PYTHON) dev/setup.py
RUN = .venv/bin/python

.PHONY: help setup demo serve test test-clients test-postgres test-browser check lint layers types web-check fix web docs bench clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | while IFS='	' read -r name words; do printf '  make %-14s %s\n' "$$name" "$$words"; done

setup: ## make .venv with everything a developer needs, and the system programs of the tests
	$(SETUP) test demo && $(PYTHON) dev/services.py

demo: ## start a server with real training runs in it (EXIT=1: train, then stop)
	$(SETUP) demo && $(RUN) dev/demo.py $(if $(EXIT),--exit) $(ARGS)

serve: web ## start a server on this checkout (ARGS="--port 5001")
	$(RUN) -m runstone server $(ARGS)

test: ## run every test, installing what the tests need (ARGS="-k metrics")
	$(SETUP) test && $(PYTHON) dev/services.py && $(RUN) dev/web.py build && $(RUN) dev/clients.py && $(RUN) -m pytest $(ARGS)

test-clients: ## run the tests that drive real MLflow clients, each in its own environment
	$(SETUP) test && $(RUN) dev/clients.py && $(RUN) -m pytest -m clients $(ARGS)

test-postgres: ## run the tests that use PostgreSQL
	$(SETUP) test && $(PYTHON) dev/services.py && $(RUN) -m pytest -k postgresql $(ARGS)

test-browser: web ## run the tests that drive a real Chromium
	@$(PYTHON) dev/services.py && $(RUN) -m pytest -m browser $(ARGS)

check: lint layers types web-check test ## do everything that CI does, in the same order

lint: ## look for mistakes and for lines the formatter would change
	$(SETUP) test && $(RUN) -m ruff check . && $(RUN) -m ruff format --check .

layers: ## check that imports only go down
	$(SETUP) test && .venv/bin/lint-imports

types: ## check the types
	$(SETUP) test && $(RUN) -m mypy

web-check: ## lint, type-check and test the web UI
	$(SETUP) test && $(RUN) dev/web.py check && $(RUN) dev/web.py test

fix: ## format, and mend what can be mended
	$(SETUP) test && $(RUN) -m ruff check --fix . ; $(RUN) -m ruff format . && $(RUN) dev/web.py fix

web: ## build the pages that the server serves
	$(SETUP) test && $(RUN) dev/web.py build

docs: ## renew the generated pages of docs/reference (ARGS=--check: only compare)
	$(SETUP) test && $(RUN) -m dev.docs $(ARGS)

bench: ## measure this checkout (ARGS goes to the harness)
	$(SETUP) test && $(RUN) -m bench $(ARGS)

clean: ## remove what the other commands made, but not demo-data/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache web/node_modules src/runstone/static
