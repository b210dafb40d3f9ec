# Every target does all it needs on a fresh machine with Python 3.11 or newer.
#
#   PROFILE     quick, desk or paper; without it each chapter at its best published profile
#   RECOMPUTE   1 to run everything afresh instead of replaying stored records
#   UPGRADE     1 to raise the versions that `make requirements` would keep
#   JOBS        processes that run the tests (default: one per core)
#   PYTHON      the interpreter that makes the environment

.DEFAULT_GOAL := help
.PHONY: help book book-next test check requirements clean clean-all

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
UV_VERSION := 0.13.8
JOBS ?= auto
BIN := .venv/bin
READY := .venv/.ready
NEXT := _build/next

# kernels start in half the time with compiled bytecode
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n 's/^#   /  /p' $(MAKEFILE_LIST)

book: $(READY) ## execute the chapters and build the book
	@$(BIN)/hsu book $(if $(PROFILE),--profile $(PROFILE)) $(if $(filter-out 0,$(RECOMPUTE)),--recompute)

# A canary: Jupyter Book 1 takes no Sphinx newer than 7. Its own environment has the newest of everything.
book-next: $(READY) ## the pages of the last `make book` by plain Sphinx 9, and what is proven of pages
	@test -f _build/html/index.html || $(MAKE) book
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(NEXT)/environment
	@$(UV) pip install --quiet --upgrade --python $(NEXT)/environment --group next
	@$(BIN)/hsu book --sphinx $(NEXT)/environment/bin/python
	@$(BIN)/python -m pytest tests/test_book.py --pages $(NEXT) -k "TestPages or TestInChromium"

test: $(READY) ## prove all of it: library, chapters, book
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(READY) ## lint, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# uv does not read pip's settings, so its index and its folders of wheels are handed on
PIP_SETTING = $${UV_$(1):-$${PIP_$(2):-$$($(BIN)/python -m pip config get global.$(3) 2>/dev/null)}}
UV = VIRTUAL_ENV=.venv UV_FIND_LINKS="$(call PIP_SETTING,FIND_LINKS,FIND_LINKS,find-links)" \
	UV_DEFAULT_INDEX="$(call PIP_SETTING,DEFAULT_INDEX,INDEX_URL,index-url)" $(BIN)/uv

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Setting up .venv ..."; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)
	@$(UV) pip install --quiet --compile-bytecode --requirement requirements.txt
	@$(UV) pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# Only what pyproject.toml asks for anew is resolved: every other version stays as the committed file has it,
# because the book's figures come from it. UPGRADE=1 lets all of them rise as far as the bounds allow.
requirements: $(READY) ## compile requirements.txt from pyproject.toml
	@cp requirements.txt requirements.new
	@$(UV) pip compile pyproject.toml --all-extras --output-file requirements.new $(if $(filter-out 0,$(UPGRADE)),--upgrade) \
		--universal --python-version 3.11 --no-header --no-annotate --quiet > /dev/null
	@grep -Ev '^(cuda|nvidia|triton)' requirements.new > requirements.txt  # torch pins its CUDA parts itself
	@rm requirements.new

clean: ## remove the built book; stored runs and the environment stay
	@rm -rf _build/book _build/.making _build/chapters _build/html _build/next .pytest_cache .ruff_cache .mypy_cache .hypothesis

clean-all: clean ## remove everything made: stored runs and .venv too
	@rm -rf _build .venv hsu.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
