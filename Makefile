# `make test` on a fresh machine needs python3 (3.10 or newer) and make; everything else is brought.
.DEFAULT_GOAL := help
.PHONY: help demo setup check quick test guesses search compat docs record bench bench-client bench-audit bench-emulator lock pins engine dist clean

# By its name, never by its path: a path may hold characters that a shell takes for commands.
UV := $(if $(shell command -v uv 2>/dev/null),uv,.uv/bin/uv)
PYTHON := .venv/bin/python
STAMP := .venv/.stamp
PACK := examples/policy_pack/environment

# The machine's own certificates, where it has them: a network that inspects TLS is known to them alone.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= 1
endif

# Modules are compiled once, not in each of the hundreds of processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

# The engine first, then this project's Python; no folder of an engine where a Pulumi release is on PATH.
WITH_ENGINE = engine="$$($(PYTHON) tools/engine_setup.py)" && PATH="$${engine:+$$engine:}$$PWD/.venv/bin:$$PATH"

# Slow tests are handed out two by two, so that no process sits on many while another one is idle.
# gRPC would tell of each server that ends.
TESTS = GRPC_VERBOSITY=ERROR $(PYTHON) -m pytest --numprocesses auto --maxschedchunk 2

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## Show sharing from end to end, against an emulated cloud
	@$(WITH_ENGINE) $(PYTHON) tools/demo.py

setup: $(STAMP) $(PACK) ## Make the environment (.venv) and a Pulumi engine
	@$(WITH_ENGINE) && echo "pulumi $$(pulumi version), python $$(python -c 'import platform; print(platform.python_version())')"

check: $(STAMP) ## Format, lint, types
	@$(PYTHON) -m ruff format --check --quiet
	@$(PYTHON) -m ruff check --quiet
	@$(PYTHON) -m mypy

quick: $(STAMP) $(PACK) ## All tests but those with an engine, with a browser, and other slow ones
	@$(TESTS) -m "not engine and not search and not slow"

test: check $(PACK) ## Check, then all tests
	@$(WITH_ENGINE) $(TESTS)

guesses: $(STAMP) ## Quick tests of the provider, under each other answer that the service may give
	@GUESSES=1 $(TESTS) -m "not engine and not search and not slow" tests/sharing tests/resources tests/cli tests/audit tests/plugin $(ARGS)

search: $(STAMP) ## Look for a history of runs that ends wrong, among thousands of random ones
	@HISTORIES=$(or $(HISTORIES),10000) $(PYTHON) -m pytest -m search

compat: $(STAMP) ## Share with the oldest versions that are promised, and on each Python that is found here
	@$(WITH_ENGINE) $(PYTHON) tools/compat.py

docs: $(STAMP) ## Build the site of the guides, in dist/site
	@$(PYTHON) -m sphinx --fail-on-warning --keep-going --quiet -b html docs dist/site && echo "dist/site/index.html"

record: $(STAMP) ## Draw the pictures of the guides anew, the recording of the demonstration, too
	@$(PYTHON) tools/picture.py docs/picture.svg
	@$(WITH_ENGINE) $(PYTHON) tools/demo.py --svg docs/demo.svg

bench: $(STAMP) ## Measure what shares cost behind each door (ARGS="--help" lists the choices)
	@$(WITH_ENGINE) $(PYTHON) tools/bench.py $(ARGS)

bench-client: $(STAMP) ## Measure what the client adds to a request
	@$(PYTHON) tools/bench_client.py

bench-audit: $(STAMP) ## Measure what an audit of many backups costs
	@$(PYTHON) tools/bench_audit.py

bench-emulator: $(STAMP) ## Measure whether the emulator keeps up with 32 connections
	@$(PYTHON) tools/bench_emulator.py

lock: | $(filter .uv/bin/uv,$(UV)) ## Renew requirements.lock from pyproject.toml
	@$(UV) pip compile pyproject.toml --universal --python-version 3.10 --all-extras --group dev --generate-hashes --no-annotate --no-header \
	  --quiet --output-file requirements.lock

pins: ## Renew the pins of the actions in .github/workflows
	@python3 tools/release.py --pins

engine: ## Pin another engine, with Go on PATH: make engine VERSION=3.276.0
	@test -n "$(VERSION)" || { echo "which one? make engine VERSION=3.276.0" >&2; exit 1; }
	@cd tools/engine && go get github.com/pulumi/pulumi/pkg/v3@v$(VERSION) github.com/pulumi/pulumi/sdk/v3@v$(VERSION) && go mod tidy

dist: $(STAMP) ## Build what is released, into dist/, and look at it
	@rm -f dist/pulumi_cbr_sharing-*
	@$(UV) build --quiet --no-build-isolation --python $(PYTHON) --out-dir dist
	@$(PYTHON) -m pytest -q tests/test_packaging.py && ls dist/pulumi_cbr_sharing-*

clean: ## Remove what was made here; the engine stays in the user's cache
	rm -rf .venv .uv dist examples/policy_pack/environment .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): requirements.lock pyproject.toml | $(filter .uv/bin/uv,$(UV))
	@echo "making .venv from requirements.lock"
	@test -x $(PYTHON) || $(UV) venv --quiet --no-python-downloads .venv
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

# The example's policy pack, in a clone, runs in this environment; apart from it otherwise, see its README.
$(PACK): | $(STAMP)
	@$(PYTHON) examples/policy_pack/install.py --environment .venv

# uv of the lock, by its hash.
.uv/bin/uv: requirements.lock
	@python3 -c 'import sys; sys.version_info >= (3, 10) or sys.exit("Python 3.10 or newer is needed; python3 is " + sys.version.split()[0])'
	@python3 -m venv .uv
	@sed -n '/^uv==/,/[^\]$$/p' requirements.lock > .uv/requirements.txt
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .uv/requirements.txt
	@touch $@
