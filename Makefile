# Everything a developer or a newcomer does here, one line each: `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ROOTS := core kube certs admission operator cli playground manifests tests bench
# Compiled tests halve what a run of them costs; images that set this mean what is installed in them.
unexport PYTHONDONTWRITEBYTECODE
# A machine that others share may stand still for seconds: what failed is looked at once more. What fails
# twice is red; what passes then is named above as FAILED, and is somebody's to mend.
SECOND_LOOK = [ $$? -eq 1 ] && echo "What is named above as FAILED or ERROR is run once more; passing now, it is unsteady and wants mending." \
	&& $(BIN)/pytest --last-failed --last-failed-no-failures=none --maxfail=1
# Several targets at once, each on one core; what each says comes in one piece.
TOGETHER = $(MAKE) --no-print-directory --keep-going -j $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help # this list
help:
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} /^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## See it work (the first time it builds a control plane: five minutes)
.PHONY: demo up down status
demo: setup ## play the whole story on a real control plane, then clean up; two minutes
	@$(BIN)/python -m playground demo
up: setup ## leave a control plane with Dayfly on it running, and say what to try
	@$(BIN)/python -m playground up
down: ## stop what `make up` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m playground down; else echo "nothing is running"; fi
status: ## what `make up` is running
	@$(BIN)/python -m playground status || [ $$? = 3 ]

## Work on it
.PHONY: setup format lint types fast check test soak fuzz bench
setup: .venv/ready ## .venv with everything pinned by hash
format: setup ## ruff format and its fixes
	$(BIN)/ruff format $(ROOTS)
	$(BIN)/ruff check --fix $(ROOTS)
lint: setup ## formatting, lint rules, import layers
	$(BIN)/ruff format --check $(ROOTS)
	$(BIN)/ruff check $(ROOTS)
	$(BIN)/lint-imports
types: setup ## mypy and pyright, both strict
	@$(TOGETHER) mypy pyright
fast: setup ## unit tests, and the core's branch coverage (100 %)
	@$(TOGETHER) unit tables properties
check: setup ## all that needs no sockets and no cluster; a minute on two cores
	@$(TOGETHER) unit pyright tables mypy properties lint
test: setup ## every test, with all examples, the real control plane included
	@echo "$(BIN)/pytest -n auto tests/unit tests/component"
	@$(BIN)/pytest --durations=15 -n auto tests/unit tests/component || { $(SECOND_LOOK) tests/unit tests/component; }
	@echo "$(BIN)/pytest tests/cluster"
	@$(BIN)/pytest --durations=15 tests/cluster || { $(SECOND_LOOK) tests/cluster; }
soak: setup ## the long fault series, with their stated counts
	DAYFLY_SOAK=1 $(BIN)/pytest tests/cluster -k "soak or kill or race or failover or partition" --timeout=3600
fuzz: setup ## more than 100,000 arbitrary objects through every webhook; 10 minutes, a line for each 1,000
	DAYFLY_SOAK=1 $(BIN)/pytest -v -n auto tests/unit/admission/test_fuzz.py tests/component/test_admission_fuzz.py --timeout=3600
bench: setup ## measure against the named peers; prints figure and target
	$(BIN)/python -m bench

# The parts of the above. Fewer random examples than `make test` has: they are for every few minutes.
.PHONY: mypy pyright unit tables properties
mypy: setup
	$(BIN)/mypy
pyright: setup
	$(BIN)/pyright
unit: setup
	$(BIN)/pytest -q tests/unit --ignore=tests/unit/core --hypothesis-profile=quick
# The core by its tables alone: a branch that only a lucky example of hypothesis reaches is not tested.
tables: setup
	$(BIN)/pytest -q tests/unit/core -m "not hypothesis" --cov --cov-report=term:skip-covered --cov-fail-under=100
properties: setup
	$(BIN)/pytest -q tests/unit/core -m hypothesis --hypothesis-profile=quick

## Ship it
.PHONY: build image
build: setup ## the wheel, into dist/
	$(BIN)/uv build --wheel --no-build-isolation --python $(BIN)/python -o dist
image: ## the container image that manifests/base names
	docker build -t dayfly:0.1.0 .

## Keep generated files true
.PHONY: manifests verify lock
manifests: setup ## write manifests/crds and docs/reference anew from the types
	$(BIN)/python manifests/generate.py
verify: setup ## fail if generated files are not what the types say
	$(BIN)/python manifests/generate.py --check
lock: setup ## pin requirements anew
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/runtime.txt

.venv/ready: requirements/dev.txt pyproject.toml
	@echo "Setting up .venv (once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dayfly needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/dev.txt --require-hashes
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
