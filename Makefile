# make report   the main job: the page for the fictional Northmere, and the published Salford scores beside it
# make test     everything that must hold, in minutes
# Longer: make calibrate (how often is evalkit wrong?), make benchmark (how long do data take?), make lint.

PYTHON ?= python3
BIN := .venv/bin
DATA ?=

.PHONY: report test lint calibrate benchmark clean

.venv/.ok: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.dev: .venv/.ok
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

report: .venv/.ok
	$(BIN)/evalkit report $(DATA)

test: .venv/.dev
	$(BIN)/python -m pytest -n 2

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

calibrate: .venv/.dev
	$(BIN)/python -m tests.calibration

benchmark: .venv/.dev
	$(BIN)/python -m tests.benchmark

clean:
	rm -rf .venv reports
