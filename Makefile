# Every target sets up what it needs in .venv; nothing else has to be installed but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

# Where no model or data hub is needed none is asked, and nothing is written outside this folder.
CACHE := $(CURDIR)/.cache
OFFLINE := HF_HUB_OFFLINE=1 WANDB_MODE=offline HF_HOME=$(CACHE)/huggingface \
	WANDB_CACHE_DIR=$(CACHE)/wandb WANDB_CONFIG_DIR=$(CACHE)/wandb WANDB_DATA_DIR=$(CACHE)/wandb
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifneq ($(shell test -d "$(HOME)" -a -w "$(HOME)" && echo writable),writable)
export PIP_CACHE_DIR := $(CACHE)/pip
endif

.PHONY: help setup quickstart sweep results docs test browser lint clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed  ## install what training and evaluation need

quickstart: setup  ## train on the built-in facts with mono and with hybrid batches, and compare
	$(OFFLINE) $(RUN) train.py experiment=quickstart sampler=mono
	$(OFFLINE) $(RUN) train.py experiment=quickstart sampler=hybrid
	$(RUN) -m hybrid_ir report outputs/quickstart-mono outputs/quickstart-hybrid

sweep: $(VENV)/.installed-sweeps  ## five values of alpha with two seeds, two runs at a time, and their report
	$(OFFLINE) $(RUN) train.py sweep=alpha_quick hydra/launcher=joblib hydra.launcher.n_jobs=2
	$(RUN) -m hybrid_ir report outputs/sweeps/sweep-alpha_quick

results: setup  ## generate the tables, figures and numbers of README.md and docs/ from the files in docs/results
	$(RUN) -m hybrid_ir pages README.md docs/*.md

docs: $(VENV)/.installed-docs  ## build the documentation into site/, which needs no network either
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict
	@echo "open site/index.html, or with its search: $(RUN) -m http.server --directory site"

test: $(VENV)/.installed-dev  ## run the test suite
	$(OFFLINE) $(RUN) -m pytest -n 2 --dist worksteal

browser:  ## install Chromium with apt-get, if there is none, for the tests that open the report in it
	@command -v chromium google-chrome chromium-browser >/dev/null || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; }

lint: $(VENV)/.installed-dev  ## check format, style, types, and that imports between rooms point one way
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

clean:  ## remove what can be made again
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --no-compile -r requirements.txt
	@touch $@

$(VENV)/.installed-sweeps: requirements-sweeps.txt $(VENV)/.installed
	$(RUN) -m pip install --quiet --no-compile -r requirements-sweeps.txt
	@touch $@

$(VENV)/.installed-docs: requirements-docs.txt $(VENV)/.installed
	$(RUN) -m pip install --quiet --no-compile -r requirements-docs.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-docs.txt requirements-search.txt requirements-sweeps.txt requirements.txt \
		| $(VENV)/bin/python
	$(RUN) -m pip install --quiet --no-compile -r requirements-dev.txt
	@touch $@ $(VENV)/.installed $(VENV)/.installed-docs $(VENV)/.installed-sweeps
