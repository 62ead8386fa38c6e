# make demo    set up what is needed, analyse a firewall, write its parallel program and verify it
# make test    set up what the tests need (Debian packages too) and run them all
# make lint    ruff, types, import contract
# make bench   figures as JSON in build/bench
# make dist    wheel and sdist in dist, the same bytes for the same commit
# make site    the documentation as a web site in build/site (python docs/figures.py: its figures)
# make test-all  the tests with their full counts
# make vsix    the VS Code extension, with the server's wheel in it, as build/maestro-lsp.vsix
# make workbench  what the end-to-end tests drive: VS Code's workbench without a display, in build/workbench

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# from Emacs 29 on it is built in
EGLOT = $(shell apt-cache show elpa-eglot >/dev/null 2>&1 && echo elpa-eglot)
APT_PACKAGES := gcc g++ clang libc6-dev libdpdk-dev pkg-config graphviz chromium neovim emacs-nox $(EGLOT)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

EXTENSION := vscode-extension
VSIX := build/maestro-lsp.vsix

.PHONY: demo test test-all lint bench dist site clean vsix workbench test-extension
.DEFAULT_GOAL := demo

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip install -q -e '.[dev,e2e]'
	@touch $@

$(VENV)/.hatch: $(VENV)/.installed
	$(BIN)/pip install -q 'hatchling>=1.25'
	@touch $@

# only packages that are missing are installed, so that a machine that has them needs no root
.PHONY: apt
apt:
	@missing=""; for p in $(APT_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; \
	fi

demo: $(VENV)/.installed
	@mkdir -p build
	@run() { echo "> $$*"; "$$@" || exit; echo; }; \
	run $(BIN)/maestro-lsp check fixtures/fw; \
	run $(BIN)/maestro-lsp parallelize fixtures/fw --strategy shared-nothing --out build/fw.c -q; \
	run $(BIN)/maestro-lsp verify fixtures/fw --against build/fw.c
	@echo 'Look at the program:    build/fw.c; what makes it parallel has maestro_ in its name'
	@echo 'See each call path:     $(BIN)/maestro-lsp paths fixtures/fw'
	@echo 'Try your own NF:        $(BIN)/maestro-lsp check PATH'
	@echo 'Have it in your editor: docs/editors.md'

lint: $(VENV)/.dev
	$(BIN)/ruff check maestro_lsp tests benchmarks docs
	$(BIN)/ruff format --check maestro_lsp tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose --no-cache 2>/dev/null || $(BIN)/lint-imports

# loadgroup: tests that share one workbench run in one process
test: apt lint test-extension workbench vsix
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests

test-all: apt lint test-extension workbench vsix
	MAESTRO_FULL=1 $(BIN)/python -m pytest -n 2 --dist loadgroup tests

.PHONY: node
node:
	@command -v npm >/dev/null || { echo "The VS Code extension needs Node.js 20 or later with npm" >&2; exit 1; }

$(EXTENSION)/node_modules/.installed: $(EXTENSION)/package-lock.json | node
	cd $(EXTENSION) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test-extension: $(EXTENSION)/node_modules/.installed
	cd $(EXTENSION) && npm test --silent

vsix: $(VSIX)
$(VSIX): $(VENV)/.dev $(EXTENSION)/node_modules/.installed $(shell find maestro_lsp docs/findings $(EXTENSION)/src $(EXTENSION)/media $(EXTENSION)/scripts -type f -not -name '*.pyc') $(EXTENSION)/package.json
	BIN=$(abspath $(BIN)) $(EXTENSION)/scripts/package.sh $(abspath $@)

workbench: build/workbench/.installed
build/workbench/.installed: tests/e2e/install_workbench.sh | node
	tests/e2e/install_workbench.sh build/workbench
	@touch $@

bench: $(VENV)/.dev
	@mkdir -p build/bench
	@for b in benchmarks/bench_*.py; do \
	  $(BIN)/python $$b > build/bench/$$(basename $$b .py).json && echo build/bench/$$(basename $$b .py).json; \
	done

dist: $(VENV)/.hatch
	@rm -f dist/maestro_lsp-*
	@said=$$($(BIN)/hatchling build -d dist 2>&1) || { echo "$$said" >&2; exit 1; }
	@ls dist/maestro_lsp-*

site: $(VENV)/.dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q && echo build/site/index.html

clean:
	rm -rf $(VENV) build dist *.egg-info $(EXTENSION)/node_modules $(EXTENSION)/dist $(EXTENSION)/wheels
