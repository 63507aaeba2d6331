# Two commands are enough: `make demo` and `make test`. Everything is installed into .venv.
#
# torch: the constraints pin its version. On Linux with an x86 processor and no GPU, pip would bring the CUDA build,
# which is large; give the index of PyTorch's CPU wheels to avoid that: make demo TORCH_INDEX=<its address>

PYTHON ?= python3
STORE ?= store
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export INOCULATE_STORE := $(STORE)

.PHONY: demo test check format test-browser clean

demo: $(VENV)/installed
	$(BIN)/inoculate demo $(if $(QUICK),--quick)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not browser"

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-browser: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m browser

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "inoculate needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(PIP) --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
