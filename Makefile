# The front door. Every target is a thin word over CMake and CTest; `make help` lists them.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
FIXTURE_ARCHIVES ?= ../shared/fixtures
export KEEL_FIXTURES ?= $(HOME)/.cache/keel-fixtures

PACKAGES_BUILD := ca-certificates g++ cmake ninja-build make pkg-config git python3 ccache
PACKAGES_LIBRARIES := libcli11-dev nlohmann-json3-dev libspdlog-dev libfmt-dev liblmdb-dev libboost-dev libsimdjson-dev \
  libssl-dev libgmp-dev libsecp256k1-dev zlib1g-dev libzstd-dev libxxhash-dev
PACKAGES_TEST := libgtest-dev libgmock-dev lmdb-utils jq curl zstd
PACKAGES_LINT := clang-19 libclang-rt-19-dev lld-19 llvm-19 clang-format-19 clang-tidy-19
PACKAGES_BENCH := libbenchmark-dev strace librocksdb-dev libsqlite3-dev wrk valgrind

.DEFAULT_GOAL := help
.PHONY: help clients demo deps deps-lint deps-bench build test conformance sanitize fuzz lint format bench-crypto bench-db bench-flow bench-engine bench-evm bench-solo bench-import bench-runners bench-rpc rpc-cost siege ui torture install clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# $(call install_packages,LIST): asks dpkg first, so that nothing to do costs nothing.
define install_packages
@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get update -q && \
  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; fi
endef

deps: ## Install what building and testing need (Debian packages)
	$(call install_packages,$(PACKAGES_BUILD) $(PACKAGES_LIBRARIES) $(PACKAGES_TEST))

deps-lint: ## Install clang 19 with sanitizers, clang-format and clang-tidy
	$(call install_packages,$(PACKAGES_LINT))

deps-bench: ## Install what the benchmarks need
	$(call install_packages,$(PACKAGES_BENCH))

build: deps ## Build the optimised tree in build/release; the program, where its layers are built, is build/keel
	cmake --preset release
	cmake --build --preset release -j $(JOBS)
	@if [ -x build/release/keel ]; then ln -sf release/keel build/keel; fi

demo: build ## init, import and daemon on a small chain: ask it, stop it, start it again
	tools/demo.sh build/keel

test: build ## Build and run every test that needs nothing but the repository
	python3 tools/lint.py
	KEEL_FIXTURES=/nonexistent ctest --test-dir build/release --output-on-failure -j $(JOBS)

conformance: build ## Run the tests that read upstream's fixtures (where the archives are)
	@if [ -x $(FIXTURE_ARCHIVES)/unpack.sh ]; then \
	  $(FIXTURE_ARCHIVES)/unpack.sh "$$KEEL_FIXTURES" precompiles kzg ethereum-tests legacytests rpc-compat tracers \
	    eest-blockchain eest-static eest-state eest-engine eest-engine-derived workloads && \
	  ctest --test-dir build/release --output-on-failure -j $(JOBS) -R '[Ff]ixture|Vectors|RpcCompat' -E FixtureSets && \
	  build/release/tests/keel_fixture_sets_test --gtest_brief=1; \
	else echo "CONFORMANCE NOT RUN: no fixture archives in $(FIXTURE_ARCHIVES)"; fi

# The store's tests, and the flow of real processes with the sanitized program. A recursion of 1024 calls needs more
# native stack there. Threads that std::exit leaves behind are what some of the tests are about.
# Left out: scripts of hive, which time whole containers, and the large cases, which take minutes there.
NOT_SANITIZED := ^hive_|^testdata_is|big_blocks
SANITIZED_LABELS ?= core|db|db_contract|process
SANITIZED_TARGETS ?= keel keel_core_test keel_db_test keel_db_contract_test keel_tests keel_flow_tests keel_daemon_tests
sanitize: deps deps-lint ## Run store and flow under address+undefined and thread sanitizers (clang 19)
	@for kind in asan tsan; do \
	  cmake --preset $$kind && cmake --build --preset $$kind -j $(JOBS) --target $(SANITIZED_TARGETS) && \
	  (ulimit -s 262144; export TSAN_OPTIONS=report_thread_leaks=0; KEEL_FIXTURES=/nonexistent ctest --test-dir build/$$kind --output-on-failure -j $(JOBS) \
	    -L '^($(SANITIZED_LABELS))$$' -E '$(NOT_SANITIZED)') || exit 1; \
	done

clients: build ## Run Hardhat, ethers, viem, web3 and cast (npm) against keel daemon --dev on both stores
	@for backend in mem lmdb; do tests/clients/run.sh build/release/keel $$backend || exit 1; done

FUZZ_SECONDS ?= 20
fuzz: deps deps-lint ## Build every fuzzer (in the tree of asan) and run each for FUZZ_SECONDS
	cmake --preset asan && cmake --build --preset asan -j $(JOBS) --target fuzz_targets
	fuzz/run.sh build/asan $(FUZZ_SECONDS)

lint: deps-lint ## Layers, names, format and clang-tidy of what changed since main
	python3 tools/lint.py --format
	tools/tidy.sh $(LINT_BASE)

format: deps-lint ## Format every source file
	git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

bench-crypto: build deps-bench ## Unit costs of hashes, signatures, curves and modexp beside their peers
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_crypto_bench
	build/release/bench/keel_crypto_bench

bench-db: build deps-bench ## The store beside LMDB, RocksDB and SQLite: one table, every result compared (about 10 minutes)
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_db_bench
	build/release/bench/keel_db_bench

bench-flow: build deps-bench ## init, import and daemon as whole processes; switching blocks inside one
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_flow_bench
	python3 bench/flow.py --keel build/keel
	build/release/bench/keel_flow_bench

bench-engine: build ## Engine API over HTTP with JWT: empty blocks, the workloads' blocks, tests on one daemon
	python3 bench/engine.py --keel build/keel

bench-solo: build ## keel daemon --dev beside anvil (make clients installs it): transfers, blocks, starts
	python3 bench/solo.py --keel build/keel

bench-evm: build deps-bench bench-crypto ## Execution beside the fastest peers: bench-crypto, the field's benchmarks of interpreters, tokens, blocks of workloads
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_evm_bench keel_workloads_bench
	build/release/bench/keel_evm_bench --fixtures "$$KEEL_FIXTURES" --data bench/data
	build/release/bench/keel_workloads_bench "$$KEEL_FIXTURES/workloads/blockchain_tests"

bench-import: build deps-bench ## Import of chains of our own, made once; KEEL_BENCH_ACCOUNTS=20000 for a short run
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_import_bench keel_testdata
	python3 bench/import.py

bench-runners: build ## Runners of upstream's tests beside a peer's figures, and with two workers (about 5 minutes)
	python3 bench/runners.py

bench-rpc: build deps-bench ## JSON-RPC beside its floor, and beside anvil where KEEL_PEER names one; many clients at once (about 15 minutes)
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_rpc_floor
	python3 bench/rpc.py --keel build/release/keel --floor build/release/bench/keel_rpc_floor
	python3 bench/rpc_crowd.py --keel build/release/keel

rpc-cost: build deps-bench ## Instructions that requests cost, under valgrind, against bench/data/rpc_cost.json (about 2 minutes)
	cmake --preset release -DKEEL_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target keel_rpc_cost
	python3 bench/rpc_cost.py --program build/release/bench/keel_rpc_cost

siege: build ## The daemon under attack from its own machine; others must be served meanwhile
	python3 tests/siege/siege.py --keel build/release/keel

ui: build ## The explorer in headless Chromium, which must be installed: clicks, a wide and a narrow screenshot
	tests/ui/run.sh build/release/keel

torture: build ## The store and import killed, failed, torn and damaged everywhere: all cases (ctest takes samples), one table
	@set -o pipefail; { KEEL_TORTURE=full build/release/tests/keel_torture_tests; \
	  KEEL_TORTURE=full build/release/tests/keel_flow_tests --gtest_filter='FlowKilledImport*'; \
	} | python3 tests/torture/matrix.py build/torture.md
	KEEL_REORG_TREES=1200 build/release/tests/keel_reorg_test

install: build ## Install headers and libraries under PREFIX
	cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean: ## Remove every build tree
	rm -rf build
