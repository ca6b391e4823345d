PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header -c requirements/constraints.txt
TESTED := calendars duckdb lightgbm onnx prefect s3 serve train ui wandb xgboost yahoo
# files in their order, the long ones of tests/e2e early: nobody waits for them at the end
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder
PROJECTS := projects/housing projects/drg projects/stocks projects/minimal

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install run test test-all check format lock bench clean

help:  ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## make .venv from the locked, hashed requirements

$(INSTALLED): requirements/dev.lock pyproject.toml
	@echo "installing the locked requirements into $(VENV): a minute or three"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: install  ## California housing, from the sample to a registered model (ARGS: overrides)
	heddle run -C projects/housing $(ARGS)

test: install  ## every test
	python -m pytest $(IN_TWO) $(ARGS)

test-all: install  ## every test, those of Spark (half a gigabyte, needs Java) and GCS included
	python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.lock
	python -m pytest $(IN_TWO) $(ARGS)

check: install  ## format, lint, types, import contracts, generated files
	ruff format --check --quiet .
	ruff check --quiet .
	mypy
	lint-imports --no-cache
	python docs/make_reference.py --check
	@for project in $(PROJECTS); do heddle sync --check -C $$project || exit 1; done

format: install  ## put the code in its form
	ruff format .
	ruff check --fix .
	python docs/make_reference.py

lock: install  ## resolve the requirements anew
	$(LOCK) pyproject.toml $(TESTED:%=--extra %) --group dev -o requirements/dev.lock
	$(LOCK) pyproject.toml -c requirements/dev.lock --extra train --extra lightgbm \
		--extra xgboost -o requirements/runtime.lock
	$(LOCK) pyproject.toml -c requirements/dev.lock --extra serve --extra lightgbm \
		--extra xgboost -o requirements/serve.lock
	$(LOCK) pyproject.toml -c requirements/dev.lock $(TESTED:%=--extra %) --extra spark --extra gs \
		--group dev -o requirements/all.lock

bench: install  ## measure what we promise
	python benchmarks/run_all.py $(ARGS)

clean:  ## remove what was made, but for .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	@for project in $(PROJECTS); do \
		(cd $$project && rm -rf data models reports logs mlruns .heddle .dvc/cache .dvc/tmp dvc.lock); done
