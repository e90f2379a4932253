# What one does with Martlet from a checkout. `make` alone prints the list.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BINARY := .build/release/martlet
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=

# The Swift runtime is linked in, so the binary runs where no toolchain is.
RELEASE := --configuration release --static-swift-stdlib --product martlet

.PHONY: help serve build test test-full bench wheel dist format install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

serve: build ## build what is needed and serve on http://localhost:8003 (more options: ARGS="--port 9000")
	@exec $(BINARY) serve $(ARGS)

build: ## leave the release binary at .build/release/martlet
	@scripts/bootstrap
	@web/build
	swift build $(RELEASE) --jobs $(JOBS)

test: ## every check: builds, Swift tests, format, end-to-end tests against the release binary
	@scripts/bootstrap
	@scripts/test

test-full: ## the same with longer random histories and larger sizes
	@scripts/bootstrap
	@scripts/test --full

bench: build ## the benchmarks of bench/
	@test -x bench/run || { echo "bench: there is no program bench/run in this checkout, so nothing was measured." >&2; exit 1; }
	@bench/run $(ARGS)

wheel: build ## wheels for pip in dist/: one with the binary and its libraries, one of Python alone
	@scripts/venv packaging
	@.venv-packaging/bin/python packaging/build wheels

dist: build ## a folder that runs from anywhere, packed in dist/
	@scripts/venv packaging
	@.venv-packaging/bin/python packaging/build archive

format: ## lay out every Swift file as .swift-format says
	swift format --in-place --recursive --parallel Sources Tests Examples Package.swift

# Not by way of `build`: this is often run as root, and root should find the binary, not build it.
install: $(BINARY) ## put the binary into PREFIX/bin (PREFIX=/usr/local, DESTDIR for packagers)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -s -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/bin/martlet"

$(BINARY):
	@$(MAKE) --no-print-directory build

clean: ## remove what was built, and the tests' Python environment
	rm -rf .build dist .venv .venv-mlflow .venv-mlflow2 .venv-lightning .venv-browser .venv-packaging
