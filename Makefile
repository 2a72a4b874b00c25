# Everything a person needs: `make run` shows the main job, `make test` proves it. Both do all the set-up themselves.
#
#   make run                 build, then the demo: bars -> training -> gates -> rollout -> predictions -> drift -> alert
#   make run ARGS=--exit     the same, ending by itself
#   make test                every test
#   make check               what CI checks: format, lints, docs, tests
#   make bench               the numbers quoted in README.md
#   make bench-training      training, inference and data speed beside PyTorch and ONNX Runtime (PEERS_PYTHON=python with both)
#   make bench-plugins       what plugins cost beside native code and beside a bare call
#   make cuda                the host with CUDA, built on a machine with or without a GPU; tests/cuda/run.sh tries it on one
#   make setup               only the set-up: a compiler for the WebAssembly guests

CARGO ?= cargo
ARGS ?=
# The workspace is always built whole, so that every command shares one set of compiled dependencies.
BUILD = $(CARGO) build --release --workspace
TARGET = $(shell $(CARGO) metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

.PHONY: run test check setup bench bench-training bench-plugins build cuda

run: build
	$(TARGET)/release/bellwether demo $(ARGS)

build: setup
	$(BUILD)

test: setup
	$(BUILD)
	$(CARGO) test --release --workspace

check: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --release --workspace --no-deps
	$(MAKE) test

bench: build
	$(CARGO) bench --workspace

bench-training: build
	python3 -B tests/bench/training.py $(ARGS)

bench-plugins: build
	$(CARGO) bench --workspace --bench beside_bare --bench plugin_platform

setup:
	@sh plugins/guest-build/setup.sh

cuda: setup
	@bash tests/cuda/build.sh
