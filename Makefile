# make demo and make test do all the set-up themselves; the logic is in scripts/*.sh.
VENV ?= .venv
PYTHON ?=
BIN := $(VENV)/bin/python
PYTEST_FLAGS ?=
# One process a core, each with one OpenMP thread (tests/conftest.py); a process with nothing left takes tests of another.
WORKERS ?= auto
SEEDS ?= 10
JOBS ?= 2
TUTORIALS := $(patsubst %.py,%.md,$(wildcard docs/tutorials/*.py))

.PHONY: help demo docs tutorials test rough coverage lint test-processors test-pythons clean

help:
	@echo "make demo            set up $(VENV), train a small language model, evaluate it, sample from it, export it; three zoo models"
	@echo "make test            set up $(VENV) with the tools for development and run the tests"
	@echo "make docs            execute the tutorials and build the documentation into site/, JOBS=2 tutorials at a time"
	@echo "make rough           kill runs, damage folders, fuzz recipes, fill disks, close streams, write odd files; a table"
	@echo "make coverage        run the tests and name the lines and branches that none of them reaches"
	@echo "make test-processors run the numerical tests as other processors would, SEEDS=10 seeds each: hours"
	@echo "make lint            check the code with ruff"
	@echo "make test-pythons    test what runs before MXNet loads, and a layer, on Python 3.9, 3.11 and 3.12"
	@echo "make clean           remove the virtual environments and caches (runs/ stays)"
	@echo "PYTHON=path/to/python3.x chooses the Python of a new $(VENV)"

# The stamps are newer than setup.py as long as nothing has to be installed again.
$(VENV)/.installed: setup.py
	@scripts/install.sh "$(VENV)" "" "$(PYTHON)"
	@touch $@

$(VENV)/.installed-dev: setup.py
	@scripts/install.sh "$(VENV)" dev "$(PYTHON)"
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: setup.py
	@scripts/install.sh "$(VENV)" docs "$(PYTHON)"
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	@scripts/demo.sh "$(BIN)"

test: $(VENV)/.installed-dev
	@$(BIN) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS)

rough: $(VENV)/.installed-dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN) -m scripts.rough

docs: $(VENV)/.installed-docs
	@$(MAKE) --no-print-directory -j $(JOBS) tutorials
	@NO_MKDOCS_2_WARNING=1 $(BIN) -m mkdocs build --strict --quiet
	@echo "== site/index.html is ready"

tutorials: $(TUTORIALS)

# A tutorial is executed again when it, or the package, has changed.
docs/tutorials/%.md: docs/tutorials/%.py scripts/tutorial.py $(shell find gluon_rnn -name '*.py')
	@echo "== executing $<"
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN) -m scripts.tutorial $<

coverage: $(VENV)/.installed-dev
	@$(BIN) -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term-missing:skip-covered $(PYTEST_FLAGS)

test-processors: $(VENV)/.installed-dev
	@scripts/test_processors.sh "$(BIN)" "$(SEEDS)"

lint: $(VENV)/.installed-dev
	@$(BIN) -m ruff check .

test-pythons: $(VENV)/.installed-dev
	@GLUON_RNN_TEST_ALL_PYTHONS=1 $(BIN) -m pytest -v tests/test_runtime.py

clean:
	rm -rf $(VENV) .venv-3.* site $(TUTORIALS) docs/tutorials/*_files build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
