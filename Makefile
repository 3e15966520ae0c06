# The two commands of the README. Each does its own set-up; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
VENV   ?= .venv
PHOTO  ?=

.PHONY: demo test check docs clean

demo: $(VENV)/.base
	$(VENV)/bin/python scripts/demo.py $(if $(PHOTO),"$(PHOTO)")

docs: $(VENV)/.docs  # build/docs/index.html
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build

test check: $(VENV)/.dev
	scripts/check $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable ".[docs]"
	touch $@ $(VENV)/.base

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.base $(VENV)/.docs

clean:
	rm -rf $(VENV)
