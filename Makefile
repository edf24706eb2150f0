# coreset-bench. `make bench` and `make test` are all a fresh clone needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Options for the runs, such as ARGS="--jobs 1" or ARGS=--yes
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup bench test perf perf-full perf-gpu lint typecheck publish leaderboard leaderboard-check claims ledger figures site export scores test-browser \
	cifar10 cifar100 imagenet imagenette gpu new-method clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(READY) ## Create .venv with the pinned versions, the package editable in it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# --yes: a few minutes by design, so even a slow machine with nobody at its terminal goes through with it.
bench: setup ## Run the digits suite and print its leaderboard (about 4 minutes on two cores)
	$(BIN)/coreset-bench run digits --yes $(ARGS)

test: setup ## Run the tests, as many at once as there are cores
	$(BIN)/python -m pytest -n auto --dist worksteal --benchmark-disable $(ARGS)

test-browser: setup ## Run the tests of the page in headless Chromium (Debian: apt-get install chromium chromium-driver)
	CORESET_BENCH_BROWSER=required $(BIN)/python -m pytest tests/page -m browser $(ARGS)

# Without the test of the published page, which is of the JSON before this run.
PERF := $(BIN)/python -m pytest tests/perf --ignore tests/perf/test_report.py --benchmark-enable --benchmark-disable-gc --benchmark-quiet -q

perf: setup ## Time what has to be fast beside plain versions and print the ratios (a quarter of an hour; gates nothing)
	rm -f results/perf/small.json
	PERF_OUT=results/perf/small.json $(PERF) $(ARGS)
	$(BIN)/python -m tests.perf.report results/perf/small.json results/perf

perf-full: setup ## The same at full size, with growth (an hour; goes on where it stopped: delete results/perf/full.json to begin anew)
	PERF_SIZE=full PERF_OUT=results/perf/full.json $(PERF) $(ARGS)
	$(BIN)/python -m tests.perf.report results/perf/full.json
	$(BIN)/python -m tests.perf.growth results/perf/full.json
	$(BIN)/python -m tests.perf.report results/perf

perf-gpu: setup ## Throughput of training and attacks on an accelerator
	$(BIN)/python -m tests.perf.gpu results/perf

lint: setup ## Check style, formatting and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

typecheck: setup ## Check types
	$(BIN)/mypy

publish: setup ## Copy a run's records, leaderboard and figures to results/: make publish SUITE=digits
	@test -n "$(SUITE)" || { echo "Name the suite: make publish SUITE=digits"; exit 2; }
	$(BIN)/coreset-bench publish $(SUITE) $(ARGS)
	$(BIN)/coreset-bench figures $(SUITE)

leaderboard: setup ## Write every published leaderboard, the claims and the page again from the records
	$(BIN)/coreset-bench leaderboard $(ARGS)

leaderboard-check: setup ## Fail if a published leaderboard, the claims or the page is not what its records give
	$(BIN)/coreset-bench leaderboard --check $(ARGS)

figures: setup ## Draw the figures of every published suite again from its records: results/SUITE/figures/
	$(BIN)/coreset-bench figures $(ARGS)

site: setup ## Write the page of all published results: results/site/index.html, one file that opens from disk
	$(BIN)/coreset-bench site $(ARGS)

export: setup ## Write every published suite as CSV, Parquet, LaTeX, Markdown and RobustBench's JSON: results/SUITE/exports/
	$(BIN)/coreset-bench export $(ARGS)

scores: setup ## Release each method's scores as results/scores/SUITE.parquet: make scores SUITE=digits; without, the data card again
	$(BIN)/coreset-bench scores $(SUITE) $(ARGS)

claims: setup ## Answer the paper's claims from published records: results/claims.md
	$(BIN)/coreset-bench claims --render $(ARGS)

ledger: setup ## Measure what faults of public implementations change: docs/discrepancies.md (about 12 minutes on two cores)
	$(BIN)/coreset-bench ledger --yes $(ARGS)

cifar10: setup ## Run the CIFAR-10 suite (prints the time first and asks; ARGS=--yes starts it)
	$(BIN)/coreset-bench run cifar10 --download $(ARGS)

cifar100: setup ## Run the CIFAR-100 suite, likewise
	$(BIN)/coreset-bench run cifar100 --download $(ARGS)

imagenet: setup ## Run the ImageNet suite on CORESET_BENCH_DATA/imagenet, likewise
	$(BIN)/coreset-bench run imagenet $(ARGS)

imagenette: setup ## Run the Imagenette suite on CORESET_BENCH_DATA/imagenette*, likewise
	$(BIN)/coreset-bench run imagenette $(ARGS)

gpu: SUITE ?= cifar10-gpu
gpu: WITHIN ?= 9m
gpu: PACKED = results/local/$(SUITE)/store.tar.gz
# What another machine packed comes first. Cells that failed (status 1) do not keep the others from being packed.
gpu: setup ## Run a suite on a GPU for a limited time and pack the results: make gpu SUITE=cifar10-gpu WITHIN=9m
	@test ! -f $(PACKED) || $(BIN)/coreset-bench unpack $(PACKED)
	$(BIN)/coreset-bench run $(SUITE) --device cuda --within $(WITHIN) --download --yes $(ARGS) || [ $$? -eq 1 ]
	$(BIN)/coreset-bench pack $(PACKED) --without model --without dynamic --without proxy --without signal

new-method: setup ## Start a method: make new-method NAME=mine
	@test -n "$(NAME)" || { echo "Name the method: make new-method NAME=mine"; exit 2; }
	$(BIN)/coreset-bench new-method $(NAME)

clean: ## Remove the environment and caches (store/ and results/ stay: days of computing)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find benchmark methods tests -name __pycache__ -type d -prune -exec rm -rf {} +
