PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo study test slow lint types bench check clean

demo: study ## build the built-in study and make its maps
	$(BIN)/geosoil run data/trhr/geosoil.toml

study: $(STAMP) ## build the built-in study under data/trhr (cached)
	$(BIN)/python scripts/make_trhr_study.py data/trhr

test: $(STAMP) ## quick tests and doctests
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4 --dist loadfile --no-loadscope-reorder

slow: $(STAMP) ## campaigns of minutes
	$(BIN)/python -m pytest -q -m slow -n auto --maxprocesses=4 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP) ## measure geosoil and its peers side by side
	$(BIN)/python -m pytest -q tests/benchmarks --benchmark-enable --benchmark-only -m "slow or not slow"

check: lint types test

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)' || \
	  { echo "geosoil needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

clean:
	rm -rf $(VENV) data/trhr build dist .pytest_cache .mypy_cache .ruff_cache
