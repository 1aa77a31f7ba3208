# SPDX-License-Identifier: MIT
#
# The everyday commands, on top of the CMake presets (CMakePresets.json).

PRESET  ?= release
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
SUITES  ?= $(PRESET)# what `make test` runs: PRESET[:LABEL]..., each built before
BENCH   ?=# options of bench/run
INSTALL ?= yes# "no": never install packages, take the system as it is

build_dir := build/$(PRESET)
whittle   := $(build_dir)/cli/whittle
packages   = $(if $(filter yes,$(INSTALL)),scripts/install-packages $(1))
configure  = cmake --preset $(PRESET) --log-level=NOTICE -DWHITTLE_TESTS=$(1)
build      = cmake --build --preset $(PRESET) --parallel $(JOBS) --target $(1)
tests_need = build demo test# sections of packages.txt
sources    = git ls-files --cached --others --exclude-standard -- '*.cc' '*.h'

.DEFAULT_GOAL := build
.PHONY: build demo test test-slow install format check-format tidy fuzz bench clean help

build: ## build whittle (PRESET=release|dev|ci|asan|fuzz, JOBS=N)
	@$(call configure,OFF)
	@$(call build,whittle)

demo: ## install what the demo needs, build, and make an image of samples/hello-http
	@$(call packages,build demo)
	@$(call configure,OFF)
	@$(call build,whittle)
	@scripts/demo $(abspath $(whittle))

test: ## build and run every test except the slow ones
	@$(call packages,$(tests_need))
	@$(call configure,ON)
	@$(call build,all)
	@scripts/run-tests --jobs $(JOBS) $(SUITES)

test-slow: ## build and run the slow tests
	@$(call packages,$(tests_need))
	@$(call configure,ON)
	@$(call build,all)
	@scripts/run-tests --jobs $(JOBS) $(PRESET):slow

install: build ## install under PREFIX (default /usr/local), below DESTDIR if set
	@DESTDIR="$(DESTDIR)" cmake --install $(build_dir) --prefix "$(PREFIX)"

format: ## rewrite the C++ sources in the project's style
	@$(sources) | xargs -r clang-format -i

check-format: ## fail if a C++ source is not in the project's style
	@$(sources) | xargs -r clang-format --dry-run -Werror

tidy: ## run clang-tidy over the sources
	@$(call configure,ON)
	@$(call build,all)
	@$(sources) | grep '\.cc$$' | xargs -r -P $(JOBS) -n 4 clang-tidy -p $(build_dir) --quiet

fuzz: ## run every fuzz target for SECONDS each (default 60)
	@$(call packages,$(tests_need))
	@cmake --preset fuzz --log-level=NOTICE
	@cmake --build --preset fuzz --parallel $(JOBS) --target fuzz_targets
	@scripts/run-fuzz $(abspath build/fuzz) $(or $(SECONDS),60)

bench: ## measure against UPX and the goals, and what audit finds; rewrites bench/ and the documents' tables (BENCH=--sizes-only)
	@$(call packages,$(tests_need) bench)
	@$(call configure,OFF)
	@$(call build,whittle)
	@bench/run $(abspath $(whittle)) $(BENCH)
	@$(if $(BENCH),,bench/audit $(abspath $(whittle)))

clean: ## remove everything that was built
	rm -rf build

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  awk -F '\t' '{ printf "make %-14s %s\n", $$1, $$2 }'
