# Two commands: `make demo` runs the main job, `make test` passes the tests. Both set everything up first.
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export VENV
PYTEST_ARGS ?=
# Tests of one file share what they set up, so files are dealt out. Each server and database has a port of its own.
PARALLEL ?= -n logical --maxprocesses 4 --dist loadfile
# The tests start hundreds of processes; without bytecode each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check slow system faults docs bench clean

help:
	@echo "make demo    set up, then run one turn of the loop (reactor demo)"
	@echo "make test    set up, then run the tests"
	@echo "make check   ruff and mypy"
	@echo "make slow    the tests that take minutes, and those against peers"
	@echo "make system  the tests that need Xvfb, xdotool and Chromium; installs them on Debian if it may"
	@echo "make faults  kill, cut and damage it some hundred times (FAULT_SHARE, REACTOR_FAULT_SEED)"
	@echo "make docs    build the documentation into site/"
	@echo "make bench   run the benchmarks (installs the peers)"
	@echo "make setup   create $(VENV) and install; does nothing when nothing changed"

setup:
	@scripts/setup.sh train,media

demo: setup
	@$(BIN)/reactor demo $(DEMO_ARGS)

test:
	@scripts/setup.sh train,media,dev
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

check:
	@scripts/setup.sh train,media,dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# With the peers, so that what is compared with them is compared.
slow:
	@scripts/setup.sh train,media,dev,bench
	$(BIN)/python -m pytest $(PARALLEL) -m "slow or peer" --ignore=tests/faults $(PYTEST_ARGS)

# These skip elsewhere if a program is missing; here they fail.
system:
	@scripts/setup.sh train,media,dev
	@scripts/system.sh
	REACTOR_REQUIRE_SYSTEM=1 $(BIN)/python -m pytest -m system $(PYTEST_ARGS)

# All tests of faults, each with so many times its runs; at 3 they are more than 200.
FAULT_SHARE ?= 3
faults:
	@scripts/setup.sh train,media,dev
	REACTOR_FAULT_SHARE=$(FAULT_SHARE) $(BIN)/python -m pytest $(PARALLEL) tests/faults -m "slow or not slow" $(PYTEST_ARGS)

docs:
	@scripts/setup.sh train,media,dev,docs
	$(BIN)/mkdocs build --strict

bench:
	@scripts/setup.sh train,media,bench
	$(BIN)/python benchmarks/run_all.py

clean:
	rm -rf $(VENV) site build dist .pytest_cache .mypy_cache .ruff_cache
