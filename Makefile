# Each target is one command. The work is in bootstrap.sh, the gaplab command (labs/kit) and tests/run.sh.
.DEFAULT_GOAL := help
.PHONY: help up down status doctor test bench bench-foundations bench-containers faults devcontainers twice

LABS ?=
PRESET ?= quick
ENGINE ?= process
gaplab := .venv/bin/gaplab

help: ## print these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make up LABS='foundations integration/kl_*'    runs a part      make up GAPLAB_MLFLOW_PORT=5050    moves a service"
	@echo "  make up ENGINE=docker                          everything in containers, from images of the same locks"

up: ## make everything, start the services, run every lab's quick preset; again: goes on where it was
	@sh bootstrap.sh
	@$(gaplab) up $(foreach lab,$(LABS),'$(lab)') --preset '$(PRESET)' --engine '$(ENGINE)'

down: ## stop what `make up` started, and nothing else; everything recorded is kept
	@if [ -x $(gaplab) ]; then $(gaplab) down; else echo "Nothing was ever started here."; fi

status: ## what runs, where, and what is recorded
	@$(gaplab) status

doctor: ## look for what is wrong, and say what to type
	@$(gaplab) doctor

test: ## every check; FAST=1: those without trials, under a minute
	@GAPLAB_DEV=1 sh bootstrap.sh
	@FAST='$(FAST)' bash tests/run.sh

bench: ## how fast it is, beside its peers
	@GAPLAB_DEV=1 sh bootstrap.sh
	@bash bench/run.sh

bench-foundations: ## figures of the book against their public replication: PEER=DIR, a checkout of it
	@GAPLAB_DEV=1 sh bootstrap.sh
	@bash bench/run.sh foundations $(if $(PEER),--peer '$(PEER)')

bench-containers: ## images, compose and the engine docker: build, size, start, memory; COLD=1: every build step anew; GPU=1: images for GPUs too
	@GAPLAB_DEV=1 sh bootstrap.sh
	@bash bench/run.sh containers $(if $(COLD),--cold) $(if $(GPU),--gpu)

faults: ## 500 faults with light trials, 10 with real GRPO
	@GAPLAB_DEV=1 sh bootstrap.sh
	@GAPLAB_FAULTS=500 GAPLAB_GRPO_FAULTS=10 .venv/bin/pytest -q -o log_cli=true tests/faults

devcontainers: ## every stack's devcontainer brought up by the real tool, with a lab and a test in it: needs Docker and npm
	@GAPLAB_DEV=1 sh bootstrap.sh
	@GAPLAB_DEVCONTAINERS='tabular grpo ppo' .venv/bin/pytest -q tests/images/test_devcontainer.py

twice: ## every image built twice from nothing, by an engine with containerd's store: the same digest; an hour
	@GAPLAB_DEV=1 sh bootstrap.sh
	@GAPLAB_TWICE='database services tabular editor grpo ppo' .venv/bin/pytest -q tests/images/test_containerd.py -k digest
