# One way to run things; CI runs the same targets. Uses uv where there is one, else venv and pip.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)

.PHONY: setup setup-dev browser demo test test-fast lint types docs bench lock clean
.DEFAULT_GOAL := demo

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "undercut needs Python 3.11 or newer; set PYTHON=python3.11")'
ifdef UV
	@test -x $(BIN)/python || uv venv -q --python $(PYTHON) $(VENV)
	uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	@uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
ifdef UV
	uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.txt
else
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
endif
	@touch $@

demo: setup
	@$(BIN)/undercut demo

test: setup-dev browser
	$(BIN)/python -m pytest -n auto

# The browser tests need a Chromium: the machine's, else the one Playwright installs; where neither is to be had they are
# skipped by name.
browser: setup-dev
	@$(BIN)/python -c 'from scraper.browser import find_browser; import sys; sys.exit(find_browser() is None)' \
	  || $(BIN)/playwright install chromium >/dev/null 2>&1 \
	  || echo "no browser found, and playwright install chromium did not bring one: the browser tests are skipped"

test-fast: setup-dev
	$(BIN)/python -m pytest -n auto -m "not slow and not browser"

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

docs: setup
	$(BIN)/python -m jobs.docs

bench: setup-dev
	$(BIN)/python -m tests.bench.bench_cost
	$(BIN)/python -m tests.bench.bench_match
	$(BIN)/python -m tests.bench.bench_verbosity
	$(BIN)/python -m tests.bench.bench_history
	$(BIN)/python -m tests.bench.bench_team
	@test ! -d ../shared/corpus || $(BIN)/python -m tests.bench.bench_extract
	@test -d ../shared/corpus || echo "no corpus beside the project: the replay of new models is left out"
	@test ! -d ../shared/corpus || $(BIN)/python -m tests.bench.bench_quality ../shared/corpus/quality/epoch_hub_2025-12_scores.csv
	@test ! -d ../shared/corpus || $(BIN)/python -m tests.bench.bench_forecast ../shared/corpus/benchmarks/scores.csv.gz

lock:
	uv pip compile -q --universal --generate-hashes --no-header --upgrade pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-header pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
