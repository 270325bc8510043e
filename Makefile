# Two commands matter: `make run` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
TYPESCRIPT := 7.0.2
LOCK := requirements.lock

.PHONY: help run test gates unit journey soak bench lock setup system clean

help:
	@echo "make run      record this screen into an encrypted diary, sync it, open it in Datasette"
	@echo "make test     every gate and test"
	@echo "make soak     what takes longer than a test run may: two hours on two cores"
	@echo "make bench    figures as JSON lines, peers and limits beside ours"
	@echo "make lock     resolve the dependencies anew into $(LOCK)"

$(VENV)/.ready: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "workdiary needs Python 3.11 or later; this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode $(LOCK)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q diary capture sync plugins # as the libraries are: a command's start waits for it
	@touch $@

setup: $(VENV)/.ready

lock: setup
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o $(LOCK)

system:
	@tests/system_packages.sh test

run: setup
	@tests/system_packages.sh run
	@$(BIN)/python -m tests.run_here

test: setup system gates unit journey

gates: setup $(VENV)/.typescript-$(TYPESCRIPT)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(VENV)/javascript/node_modules/.bin/tsc -p tests/javascript

# The types of the pages' modules are checked, not built: Node comes from this environment, not from the machine.
$(VENV)/.typescript-$(TYPESCRIPT): $(VENV)/.ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --silent --no-audit --no-fund --no-package-lock \
		--prefix $(VENV)/javascript typescript@$(TYPESCRIPT)
	@touch $@

unit: setup
	tests/again.sh -m "not journey and not soak" -n 2

journey: setup
	tests/again.sh -m "journey and not soak"

soak: setup system
	$(BIN)/pytest -m soak

bench: setup
	@$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .run .hypothesis .mypy_cache .ruff_cache .pytest_cache
