# Everything a fresh Debian machine needs: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/pytest -q

.PHONY: demo install test check unit live lab lab-long golden fuzz docs bench clean

demo: install
	$(BIN)/xtrace run execsnoop -c 'sh -c "uname -r; ls / >/dev/null; date"'

install: $(STAMP)

$(STAMP): pyproject.toml
	./scripts/setup.sh run
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

test: install
	./scripts/setup.sh test
	./tests/lab/setup.sh
	$(MAKE) check unit live lab

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: install
	$(PYTEST) tests/unit tests/golden

live: install
	$(PYTEST) tests/live

lab: install
	$(PYTEST) tests/lab

lab-long: install
	$(PYTEST) tests/lab --lab-long

golden: install
	$(PYTEST) tests/unit tests/golden --update-golden

fuzz: install
	$(PYTEST) tests/unit --hypothesis-profile=explore

docs: install
	$(BIN)/python -m tests.docs

bench: install
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
