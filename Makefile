# The two commands of the README. Each does its own set-up; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
VENV   ?= .venv
PHOTO  ?=

.PHONY: demo test check clean

demo: $(VENV)/.base
	$(VENV)/bin/python scripts/demo.py $(if $(PHOTO),"$(PHOTO)")

test check: $(VENV)/.dev
	scripts/check $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.base

clean:
	rm -rf $(VENV)
