# Everything a person types. Needs Python 3.11 or newer, make, and a package registry; the rest is installed from here
# into .venv, in the versions and with the hashes of requirements*.txt.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# Containers often set it. The tests start a hub some hundred times, and each would compile all of its modules.
unexport PYTHONDONTWRITEBYTECODE

# The interpreters the tests run on, then whatever the machine calls Python.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(shell \
	$(name) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

.DEFAULT_GOAL := help
.PHONY: help run demo loadtest bench bench-journal crawl soak screenshots bench-console test check check-ops sbom audit dashboards lock clean

help:
	@sed -n 's/^\([a-z-]*\):.*## */  make \1 \t/p' Makefile | expand -t 24

run: $(VENV)/.runtime  ## start a hub on SQLite; prints its URLs and the operator token
	@exec $(BIN)/ocpi-hub serve

demo: $(VENV)/.runtime  ## a hub and simulated partners exchange messages, step by step
	@exec $(BIN)/ocpi-hub demo

loadtest: $(VENV)/.loadtest  ## five minutes of simulated partners' traffic, and a report; ARGS="--duration 30s --rate 50"
	@exec $(BIN)/ocpi-hub loadtest $(ARGS)

bench: $(VENV)/.dev  ## the hub beside nginx and beside the bare framework, also as bench.json
	@exec $(BIN)/python -m loadtests.bench $(ARGS)

bench-journal: $(VENV)/.dev  ## 10 million entries of the journal: how fast written, how fast found?
	@exec $(BIN)/python -m loadtests.journal $(ARGS)

bench-console: $(VENV)/.dev  ## every page of the console, with 10,000 platforms and 10 million messages: how large? how fast?
	@exec $(BIN)/python -m loadtests.console $(ARGS)

soak: $(VENV)/.dev  ## half an hour of traffic, partners that come and go: does anything grow or fail?
	@exec $(BIN)/python -m loadtests.soak $(ARGS)

screenshots: $(VENV)/.dev  ## write the pictures of the console in docs/images again, of a hub after the demonstration
	@exec $(BIN)/python -m loadtests.screenshots $(ARGS)

crawl: $(VENV)/.runtime  ## 100 CPOs' 200,000 Locations read as one list: complete? how fast? how much memory?
	@exec $(BIN)/python -m loadtests.crawl $(ARGS)

# What fails among the others runs once more, alone: real servers and partners on busy cores are late now and then. The
# first failure has been printed by then, and is a bug all the same; see CONTRIBUTING.md.
test: $(VENV)/.dev  ## the whole suite, on real servers; ARGS="-k words" for a part of it
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS) || { [ $$? -eq 1 ] && \
		echo "What failed runs once more, alone:" && $(BIN)/pytest --last-failed --last-failed-no-failures none $(ARGS); }

check: $(VENV)/.dev  ## format, lint, strict types, import contracts, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

check-ops: $(VENV)/.ops $(BIN)/promtool  ## chart, alerts, dashboards, image: with helm's own library, promtool, hadolint
	$(BIN)/hadolint Dockerfile
	$(BIN)/pytest tests/ops $(ARGS)

dashboards: $(VENV)/.dev  ## write ops/grafana/dashboards again
	$(BIN)/python -m ops.grafana

sbom: $(VENV)/.ops  ## what the hub consists of, as CycloneDX: sbom.json
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-format JSON --output-file sbom.json requirements.txt
	@echo "sbom.json"

audit: $(VENV)/.ops  ## known vulnerabilities of the locked packages; asks the registry
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.txt

lock: $(VENV)/.dev  ## write requirements*.txt again; ARGS=--upgrade for the newest of everything
	$(COMPILE) --group build --output-file requirements-build.txt
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra loadtest --constraint requirements.txt --output-file requirements-loadtest.txt
	$(COMPILE) pyproject.toml --extra otel --constraint requirements-loadtest.txt --output-file requirements-otel.txt
	$(COMPILE) pyproject.toml --extra loadtest --extra otel --group dev --constraint requirements-loadtest.txt \
		--constraint requirements-otel.txt --output-file requirements-dev.txt
	$(COMPILE) --group ops --constraint requirements-dev.txt --output-file requirements-ops.txt

clean:  ## remove the environment and every cache; var/ stays
	rm -rf $(VENV) .cache .grimp_cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

COMPILE = $(BIN)/uv pip compile $(ARGS) --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv and ensurepip found; try make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip  # an environment made by uv has no pip
	$(PIP) --require-hashes -r requirements-build.txt -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.loadtest: requirements-loadtest.txt $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements-loadtest.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.ops: requirements-ops.txt $(VENV)/.dev
	$(PIP) --require-hashes -r requirements-ops.txt
	@touch $@

# Debian's and Ubuntu's, unpacked and not installed: nobody wants a Prometheus running because of a check.
$(BIN)/promtool: | $(BIN)/python
	@if command -v promtool >/dev/null; then ln -sf "$$(command -v promtool)" $@; else \
		cd $(BIN) && apt-get download -qq prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb \
			| tar -xO ./usr/bin/promtool >promtool && chmod +x promtool && rm prometheus_*.deb; fi \
		|| { rm -f $@; echo "No promtool on this machine, nor by apt-get download prometheus: its tests will be skipped"; }
