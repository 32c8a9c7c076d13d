# Two commands do all the set-up: `make demo` and `make test`. Everything is installed into .venv from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_VENV := .venv-bench
BENCH_INSTALLED := $(BENCH_VENV)/.installed
DOCS_VENV := .venv-docs
DOCS_INSTALLED := $(DOCS_VENV)/.installed
WEB_VENV := .venv-web
WEB_INSTALLED := $(WEB_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help image install demo test new-kpi hunt proof asterisk judged killed check fast format bench docs web wheel lock generated clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed; give it as make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(INSTALLED) ## Install into .venv

demo: $(INSTALLED) ## Run everything on a simulated desk; SECONDS=90 ends by itself
	$(BIN)/deskpulse demo $(if $(SECONDS),--seconds $(SECONDS)) $(DEMO)

# Those that need no service run on all cores. The others wait more than they compute: two files at a time, each side with its own brokers;
# a file's tests share what took long to make, and the long ones are early in the order of names.
PLAIN_TESTS = $(BIN)/python -m pytest -q -n auto -m "not services and not browser"
define ALL_TESTS
	$(PLAIN_TESTS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "services or browser" tests/integration tests/e2e
endef

test: $(INSTALLED) ## All tests, with real Kafka and Redis where they can be had; TESTS=… for some
ifdef TESTS
	$(BIN)/python -m pytest $(TESTS)
else
	$(ALL_TESTS)
endif

new-kpi: $(INSTALLED) ## Begin a KPI: NAME=callback_rate AREA=calls; tests say what to fill in
	@$(BIN)/python -m tests.new_kpi "$(NAME)" "$(AREA)"

hunt: $(INSTALLED) ## Look for examples that nobody has thought of; MINUTES=10, as long as you like
	$(BIN)/python -m tests.hunt --minutes $(or $(MINUTES),10)

proof: $(INSTALLED) ## A real month (../shared/data) through Kafka into PostgreSQL, then every row of its references by SQL; minutes
	$(BIN)/python -m tests.acceptance.real_month_through_kafka $(or $(MONTH),../shared/data/bank-august)

asterisk: $(INSTALLED) ## Real SIP calls through a real Asterisk (made once, as root), followed and compared; CALLS=2000, KILLS=20
	$(BIN)/python -m tests.asterisk $(if $(CALLS),--calls $(CALLS)) $(if $(KILLS),--kills $(KILLS)) $(ASTERISK)

judged: $(INSTALLED) ## A simulated month on a real Kafka with load and restarts: live alerts against `alert try`, step for step; DAYS=31
	DESKPULSE_TEST_DAYS=$(or $(DAYS),31) $(BIN)/python -m pytest -q -s tests/integration/test_alerts_judged.py

killed: $(INSTALLED) ## The notifier killed KILLS=20 times, ten between a robot's answer and its journal, on a real Kafka; ten minutes
	DESKPULSE_TEST_KILLS=$(or $(KILLS),20) $(BIN)/python -m pytest -q -s tests/integration/test_notifier_killed.py

check: format-check ## Format, lint, types, layers, all tests: what must be green
	$(ALL_TESTS)

.PHONY: format-check
format-check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: format-check ## As check, but only the tests that need no service
	$(PLAIN_TESTS)

format: $(INSTALLED) ## Format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(BENCH_INSTALLED): requirements-bench.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed; give it as make PYTHON=python3.12")'
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-bench.lock
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: $(BENCH_INSTALLED) ## Measure against other frameworks; QUICK=1 ends within 5 minutes
	$(BENCH_VENV)/bin/python -m tests.bench $(if $(QUICK),--quick) $(if $(PUBLISH),--publish) $(BENCH)

# Sphinx reads the pages where they lie; it needs nothing of the product.
$(DOCS_INSTALLED): requirements-docs.lock
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed; give it as make PYTHON=python3.12")'
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-docs.lock
	@touch $@

docs: $(DOCS_INSTALLED) ## Build build/docs/index.html, searchable in both languages; warnings are errors
	$(DOCS_VENV)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --write-all -b html -c docs . build/docs
	@echo build/docs/index.html

# The desk's page, from streams/web/frontend; what comes of it is committed, so that nobody else needs Node.
$(WEB_INSTALLED): requirements-web.lock
	$(PYTHON) -m venv $(WEB_VENV)
	$(WEB_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-web.lock
	@touch $@

FRONTEND := streams/web/frontend
NPM = cd $(FRONTEND) && PATH="$(abspath $(WEB_VENV))/bin:$$PATH" npm --silent

web: $(WEB_INSTALLED) ## Build the desk's page anew into streams/web/static, after a change in streams/web/frontend
	$(NPM) ci
	$(NPM) run check
	$(NPM) run build

wheel: $(INSTALLED) ## Build dist/*.whl; COMPILED=1 with the kernel as C, for this kind of machine
	rm -rf build
	DESKPULSE_COMPILED=$(COMPILED) $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w dist .

# BuildKit and Buildah take the date of the last commit as that of every file, if told so: docs/deploy.md.
image: ## Build the image deskpulse:local; ENGINE=podman or buildah where there is no Docker
	$(or $(ENGINE),docker) build --build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) --build-arg REVISION=$$(git rev-parse HEAD) \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) -t deskpulse:local -f deploy/image/Dockerfile $(IMAGE) .

generated: $(INSTALLED) ## Write the generated references anew
	$(BIN)/deskpulse schema streams/contracts/generated
	$(BIN)/deskpulse card schema scoring/cards/schema
	$(BIN)/deskpulse kpi document docs

# With digests: what was looked at is what is installed, wherever it is fetched from; setuptools, which builds this package, is among it.
RESOLVE := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' --quiet

lock: $(INSTALLED) ## Resolve all requirements*.lock anew
	$(BIN)/uv pip compile $(RESOLVE) --extra dev -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(RESOLVE) -c requirements.lock -o requirements-run.lock pyproject.toml
	$(BIN)/uv pip compile $(RESOLVE) -c requirements.lock --group wheel -o requirements-wheel.lock
	$(BIN)/uv pip compile $(RESOLVE) --extra bench -o requirements-bench.lock pyproject.toml
	$(BIN)/uv pip compile $(RESOLVE) --group docs -o requirements-docs.lock
	$(BIN)/uv pip compile $(RESOLVE) --group web -o requirements-web.lock

clean: ## Remove what was installed and made here
	find streams -name "*.so" -delete
	rm -rf $(VENV) $(BENCH_VENV) $(DOCS_VENV) $(WEB_VENV) streams/web/frontend/node_modules var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
