# Everything sets itself up: git, make and Python >= 3.11 are enough. ARGS="…" is handed on.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
# Tests mostly wait, each worker for its own servers: more than there are cores.
WORKERS ?= 6

.PHONY: demo test up check format chaos drill bench
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the main job against simulated partners and audit their books"
	@echo "make test    pass the tests"
	@echo "make chaos   storm for minutes (ARGS=\"--minutes 30 --seed 1\") and report what came of it"
	@echo "make drill   restore a base backup under load, recover, and audit what came of it"
	@echo "make up      start the whole fleet with simulated partners, until Ctrl-C"
	@echo "make bench   measure against a plain way of doing it, and against the raw database"
	@echo "make check   format, lint, types, import contracts, fast tests"

demo: $(READY)
	@$(BIN)/syncworkers demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

chaos: $(READY)
	@$(BIN)/syncworkers chaos $(ARGS)

up: $(READY)
	@$(BIN)/syncworkers up $(ARGS)

drill: $(READY)
	@DRILL=1 $(BIN)/python -m pytest tests/end_to_end/test_recover_drill.py

bench: $(READY)
	@$(BIN)/python -m benchmarks $(ARGS)

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/unit -q

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(READY): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable . --group dev
	@touch $@
