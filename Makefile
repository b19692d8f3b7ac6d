# One target a task; every one of them sets up what it needs. `make help` lists them.

# The first Python of 3.10 or later that can make virtual environments and speak TLS; PYTHON=... names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$python" -c 'import sys, ssl, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$$python" && break; done)
# An environment that works is kept, whichever Python made it: another one on top of it gives a mixture that doesn't.
make_venv = $(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE_TOOLS := tests/platforms/node_modules/.installed
PLATFORM_TOOLS := .venv-tools/.installed
AUDIT_TOOLS := .venv-audit/.installed
ZIPAPP := dist/signpath-ci.pyz
WHEELS := build/wheels/.fetched

.DEFAULT_GOAL := help
.PHONY: help sandbox demo test windows windows-unit fault-matrix check verify-matrix fuzz fuzz-zip audit format docs bench dist dist-azure lock clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r target text; do printf '%-16s%s\n' "$$target" "$$text"; done

# Every package is pinned by its hash; the project itself is installed as it lies here.
$(INSTALLED): pyproject.toml requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "error: No Python of 3.10 or later with venv found. On Debian or Ubuntu: apt-get install python3-venv; or name one: make PYTHON=/path/to/python" >&2; exit 2; }
	$(call make_venv,$(VENV))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What plays the CI systems in the tests of the plugins; where it can't be had, those tests say so and are skipped.
$(NODE_TOOLS): tests/platforms/package.json tests/platforms/package-lock.json tests/platforms/.npmrc
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' && npm ci --prefix tests/platforms --silent && touch $@ || echo "warning: no Node.js of 20 or later, or npm ci failed: the tests that need its tools are skipped" >&2

$(PLATFORM_TOOLS): requirements/platform-tools.txt
	@test -n "$(PYTHON)" && { $(call make_venv,.venv-tools); } && .venv-tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $< && touch $@ || echo "warning: $< could not be installed: the tests that need its tools are skipped" >&2

sandbox: $(INSTALLED) ## Start a sandbox that keeps everything in build/sandbox, and open its pages
	$(BIN)/signpath-ci sandbox --state build/sandbox --open

demo: $(INSTALLED) ## Sign a real Windows executable in a sandbox, and verify it
	@$(BIN)/signpath-ci demo --output-directory build/demo

# What looks up the locks' packages is locked, too; the tests look into the locks with it.
$(AUDIT_TOOLS): requirements/audit.txt
	@test -n "$(PYTHON)" && { $(call make_venv,.venv-audit); } && .venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $< && touch $@ || echo "warning: $< could not be installed: the tests that need its tools are skipped" >&2

WORKERS ?= auto
TEST_OPTIONS := -n $(WORKERS) --dist worksteal $(if $(FULL),--full) $(if $(COVERAGE),--cov --cov-report=term) $(if $(NO_SKIPS),--no-skips)
test: $(INSTALLED) $(NODE_TOOLS) $(PLATFORM_TOOLS) $(AUDIT_TOOLS) $(ZIPAPP) $(WHEELS) ## Run the tests; all of them with FULL=1
	$(BIN)/python -m pytest $(TEST_OPTIONS) $(PYTEST_ARGUMENTS)

fault-matrix: $(INSTALLED) ## Inject each fault at each step of a run, and print how it ends (10 minutes)
	$(BIN)/python -m tests.faults

verify-matrix: $(INSTALLED) ## Print the matrix format x attack, every cell tried
	$(BIN)/python -m tests.unit.verify.matrix

# A coverage-guided fuzzer needs an environment of its own: it is not there for every Python.
FUZZ_TOOLS := .venv-fuzz/.installed
FUZZ_SECONDS ?= 120
$(FUZZ_TOOLS): requirements/fuzz.txt
	$(call make_venv,.venv-fuzz)
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

fuzz: $(FUZZ_TOOLS) ## Fuzz verification, and readers of ZIP archives, for FUZZ_SECONDS each (120)
	PYTHONPATH=src .venv-fuzz/bin/python -m tests.fuzz -max_total_time=$(FUZZ_SECONDS)
	$(MAKE) --no-print-directory fuzz-zip

fuzz-zip: $(INSTALLED) $(NODE_TOOLS) ## Look for ZIP archives that readers see differently (FUZZ_SECONDS=0: without end)
	$(BIN)/python -m tests.fuzz.zip_readers $(FUZZ_SECONDS)

audit: $(AUDIT_TOOLS) ## Look up all locked packages for known vulnerabilities
	@failed=0; .venv-audit/bin/python -m tools.audit || failed=1; \
	echo tests/platforms/package-lock.json:; npm audit --prefix tests/platforms || failed=1; exit $$failed

# A Windows Python under Wine, made of locked packages.
WINDOWS_PYTHON := build/windows/.installed
$(WINDOWS_PYTHON): $(INSTALLED) tools/windows_python.sh requirements/windows.txt requirements/dev.txt
	bash tools/windows_python.sh build/windows $(BIN)/uv
	@touch $@

windows: $(WINDOWS_PYTHON) $(ZIPAPP) ## Run the program on a Windows Python under Wine, as Windows users do
	$(BIN)/python -m pytest tests/windows $(PYTEST_ARGUMENTS)

WINDOWS_UNIT ?= tests/unit
windows-unit: $(WINDOWS_PYTHON) ## Run the unit tests on a Windows Python under Wine (20 minutes); some: WINDOWS_UNIT=tests/unit/files
	PYTHONPATH="Z:$$PWD/src;Z:$$PWD" build/windows/wine-python -X utf8 -m pytest -q -p no:cacheprovider $(WINDOWS_UNIT) $(PYTEST_ARGUMENTS)

check: $(INSTALLED) ## Lint, check types and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@for system in win32 darwin; do \
		$(BIN)/mypy --platform $$system --cache-dir .mypy_cache/$$system src || exit; done

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(INSTALLED) ## Fill the tables of the documentation, and the inputs of the actions, from the code
	$(BIN)/python -m tools.readme
	$(BIN)/python -m tools.actions
	$(BIN)/python -m tools.gitlab_templates
	$(BIN)/python -m tools.azure_tasks
	$(BIN)/python -m tools.screenshots

bench: $(INSTALLED) $(ZIPAPP) ## Measure side by side with what one would use instead
	$(BIN)/python -m benchmarks

# The core that the plugins carry: one file that every Python of 3.10 or later runs, on every system.
$(ZIPAPP): $(INSTALLED) tools/dist.py requirements/runtime.txt $(shell find src/signpath_ci -name '*.py' -o -name '*.txt' -o -name '*.json')
	$(BIN)/python -m tools.dist

# Tests reach no network: what they have pip install comes from here.
$(WHEELS): $(INSTALLED) tools/dist.py requirements/runtime.txt src/signpath_ci/verify/requirements.txt src/signpath_ci/verify/requirements-xml.txt
	rm -rf build/wheels
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --dest build/wheels --requirement requirements/runtime.txt --requirement src/signpath_ci/verify/requirements-xml.txt
	$(BIN)/python -m tools.dist --fetch build/wheels
	@touch $@

dist: $(INSTALLED) ## Build the wheel, the source distribution, the zipapp, its SBOM and the Azure extension into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build
	$(BIN)/python -m tools.sbom
	$(MAKE) --no-print-directory dist-azure

dist-azure: $(ZIPAPP) $(NODE_TOOLS) ## Pack the zipapp into the Azure extension, where Node.js is at hand
	@test -e $(NODE_TOOLS) || { echo "warning: without npm the Azure extension is not packed" >&2; exit 0; }; \
	$(BIN)/python -m tools.azure_extension $(ZIPAPP) dist

COMPILE := $(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
RUNTIME_PACKAGES := certifi charset-normalizer idna pyyaml requests urllib3

lock: $(INSTALLED) ## Pin the newest allowed packages anew
	$(COMPILE) --all-extras --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) --extra system-trust --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) --extra verify $(RUNTIME_PACKAGES:%=--no-emit-package %) --output-file src/signpath_ci/verify/requirements.txt pyproject.toml
	$(COMPILE) --extra verify-xml $(RUNTIME_PACKAGES:%=--no-emit-package %) --output-file src/signpath_ci/verify/requirements-xml.txt pyproject.toml
	$(COMPILE) --output-file requirements/platform-tools.txt requirements/platform-tools.in
	$(COMPILE) --output-file requirements/fuzz.txt requirements/fuzz.in
	$(COMPILE) --output-file requirements/audit.txt requirements/audit.in
	$(COMPILE) --output-file requirements/node.txt requirements/node.in

clean: ## Remove everything that the targets made
	rm -rf $(VENV) .venv-tools .venv-fuzz .venv-audit build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/platforms/node_modules
