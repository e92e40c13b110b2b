# The commands of the house. `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Made anew whenever what they install changes: the package and its report; and all that the tests require.
READY := $(VENV)/.ready
TESTED := $(VENV)/.ready-for-tests
# The scripts of an environment name its place: one whose checkout was moved is made anew.
ifneq ($(wildcard $(READY)),)
$(shell grep -qsF "$(abspath $(VENV))/bin/python" "$(BIN)/guardduty-lens" || rm -rf "$(VENV)")
endif

.PHONY: help demo test test-integration test-fresh test-spark test-lowest lint format bench soak docs templates alerts scripts saved-objects lambda generated opensearch opensearch-stop clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(READY): pyproject.toml setup.py tools/setup.sh tools/apt.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/setup.sh
	@touch $@

$(TESTED): $(READY) tools/setup_tests.sh tools/setup_log_daemons.sh
	@VENV="$(VENV)" sh tools/setup_tests.sh
	@touch $@

demo: $(READY) ## filter the shipped findings and say what was found
	@BIN="$(BIN)" sh tools/demo.sh

test: $(TESTED) lint ## everything but the Spark job
	$(BIN)/python -m pytest --ignore tests/spark

test-integration: $(TESTED) ## those of a real OpenSearch alone; OPENSEARCH_VERSION chooses it
	$(BIN)/python -m pytest tests/integration

test-fresh: ## README's two commands on bare Debians 12 and 13, as root and as a user; requires root on a Debian
	USER_TOO=1 bash tools/fresh_debian.sh bookworm 'make demo' 'make test'
	USER_TOO=1 bash tools/fresh_debian.sh trixie 'make demo' 'make test'

test-spark: $(TESTED) ## the Spark job on this machine; installs PySpark, and Java where there is none
	@BIN="$(BIN)" sh tools/setup_spark.sh
	$(BIN)/python -m pytest tests/spark

test-lowest: ## the tests with every dependency at its lower bound, in an environment of its own
	$(PYTHON) tools/lowest_versions.py > .lowest.txt
	@PYTHON="$(PYTHON)" VENV=.venv-lowest CONSTRAINTS=.lowest.txt sh tools/setup.sh
	@VENV=.venv-lowest CONSTRAINTS=.lowest.txt sh tools/setup_tests.sh
	.venv-lowest/bin/python -m pytest --ignore tests/spark

lint: $(TESTED) ## ruff, and mypy in its strict mode
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(TESTED) ## let ruff format and mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TESTED) ## the benchmarks; writes benchmarks/results.md
	$(BIN)/python benchmarks/run.py

soak: $(TESTED) ## serve for ten minutes at half its peak; fails where its memory grows
	$(BIN)/python benchmarks/soak.py

docs: $(TESTED) ## write what is made from the catalogue: its pages, and what the package reads at start-up
	$(BIN)/python tools/make_catalogue.py
	$(BIN)/guardduty-lens fields docs -o docs/fields.md
	$(BIN)/guardduty-lens fields schema -o docs/catalogue.schema.json

templates: $(TESTED) ## templates of a default installation, roles, and Athena's tables, into pipelines
	$(BIN)/python tools/make_templates.py
	$(BIN)/python tools/make_roles.py
	$(BIN)/guardduty-lens compile athena --location s3://lake/guardduty -o pipelines/aws

scripts: $(TESTED) ## what runs inside Fluent Bit and Logstash, with the built-in fields, into pipelines
	$(BIN)/python tools/make_scripts.py

alerts: $(TESTED) ## the page of alerts, from alerts/*.yml
	$(BIN)/python tools/make_alert_docs.py

saved-objects: $(TESTED) ## dashboards/*.yml as import files for OpenSearch Dashboards, into saved_objects, and the docs' tables
	$(BIN)/python tools/make_saved_objects.py
	$(BIN)/python tools/make_dashboard_docs.py

lambda: $(TESTED) ## the functions of docs/aws.md as build/guardduty-lens.zip; says how large, and how quickly imported
	$(BIN)/python tools/make_lambda.py

generated: $(TESTED) ## AWS's model, country names and shapes, from botocore, babel's CLDR, and npm's world-atlas
	$(BIN)/python tools/make_aws_model.py
	$(BIN)/python tools/make_countries.py
	$(BIN)/python tools/make_shapes.py

opensearch: $(TESTED) ## start the OpenSearch that the tests use; the last line is its URL
	@PYTHONPATH=tests/support $(BIN)/python -m servers start

opensearch-stop: $(TESTED) ## end it
	@PYTHONPATH=tests/support $(BIN)/python -m servers stop

clean: ## take away what was built
	rm -rf $(VENV) .venv-lowest .lowest.txt build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis plugin/*.egg-info
