# Two commands on a fresh machine: `make demo` sets up and runs the main job, `make test` sets up and passes the tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= demo-run
WORKERS ?= auto

.PHONY: demo test test-slow doctest coverage lint clean

demo: $(READY)
	$(BIN)/mmdmad demo --out $(OUT)

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --maxprocesses 8 --dist worksteal

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

# The examples of the docstrings.
doctest: $(READY)
	$(BIN)/python -m pytest --doctest-modules mmdmad agents prompts -n $(WORKERS) --maxprocesses 8 --dist worksteal

coverage: $(READY)
	$(BIN)/python -m pytest -m "not slow" --cov --cov-report=term-missing:skip-covered

# mypy does not read setuptools' folder mapping, so it looks at a tree of links that has the installed shape.
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/typed && mkdir -p build/typed/mmdmad
	ln -s $(CURDIR)/mmdmad/* $(CURDIR)/agents $(CURDIR)/prompts $(CURDIR)/configs build/typed/mmdmad/
	cd build/typed && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml -p mmdmad

clean:
	rm -rf $(VENV) $(OUT) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mmdmad needs Python 3.11 or newer; run: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev,chat]"
	touch $(READY)
