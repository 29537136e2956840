# `make test` on a fresh machine needs python3 (3.10 or newer) and make; everything else is brought.
.DEFAULT_GOAL := help
.PHONY: help setup check test demo search bench lock clean

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
STAMP := .venv/.stamp
PACK := examples/policy_pack/isolated/bin/python

# The machine's own certificates, where it has them: a network that inspects TLS is known to them alone.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= 1
endif

# The engine first, then this project's Python; no folder of an engine where a Pulumi release is on PATH.
WITH_ENGINE = engine="$$(.venv/bin/python tools/engine_setup.py)" && PATH="$${engine:+$$engine:}$(CURDIR)/.venv/bin:$$PATH"

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) $(PACK) ## Make the environment (.venv) and a Pulumi engine
	@$(WITH_ENGINE) && echo "pulumi $$(pulumi version), python $$(python -c 'import platform; print(platform.python_version())')"

check: $(STAMP) ## Format, lint, types
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/ruff check --quiet
	@.venv/bin/mypy

test: check $(PACK) ## Check, then all tests
	@$(WITH_ENGINE) pytest

demo: $(STAMP) ## Show sharing from end to end, against an emulated cloud
	@$(WITH_ENGINE) python tools/demo.py

search: $(STAMP) ## Look for a history of runs that ends wrong, among thousands of random ones
	@HISTORIES=$(or $(HISTORIES),10000) .venv/bin/pytest tests/test_state_machine.py

bench: $(STAMP) ## Measure what many shares cost
	@$(WITH_ENGINE) python tools/bench.py

lock: $(UV) ## Renew requirements.lock from pyproject.toml
	@$(UV) pip compile pyproject.toml --universal --python-version 3.10 --all-extras --group dev --generate-hashes --no-annotate --no-header \
	  --quiet --output-file requirements.lock

clean: ## Remove what was made here; the engine stays in the user's cache
	rm -rf .venv .uv dist examples/policy_pack/isolated examples/policy_pack/environment .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@echo "making .venv from requirements.lock"
	@test -x .venv/bin/python || $(UV) venv --quiet --no-python-downloads .venv
	@$(UV) pip sync --quiet --require-hashes requirements.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@

# The example's policy pack, in a clone, runs in this environment; apart from it otherwise, see its README.
$(PACK): examples/policy_pack/install.py | $(STAMP)
	@.venv/bin/python $< --environment .venv

.uv/bin/uv:
	@python3 -c 'import sys; sys.version_info >= (3, 10) or sys.exit("Python 3.10 or newer is needed; python3 is " + sys.version.split()[0])'
	@python3 -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
