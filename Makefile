# SPDX-License-Identifier: BSD-2-Clause
# The face of the build: every target hands over to Meson or to tools/.

CPUS ?=
MEM ?=
CPU ?=
KERNEL ?=
INITRD ?=
SHAKE ?=
DURATION ?=
SABOTAGE ?=
TIMEOUT ?=
GRANULE ?=
LPA2 ?=
DIRTY ?=
TRACE ?=
V ?=

# A value is handed on in single quotes, whatever is in it.
quote = '$(subst ','\'',$(1))'
knob = $(if $(strip $(2)),$(1)=$(call quote,$(2)))

RUN_ARGS = $(call knob,--cpus,$(CPUS)) $(call knob,--mem,$(MEM)) \
	$(call knob,--cpu,$(CPU)) $(call knob,--kernel,$(KERNEL)) \
	$(call knob,--initrd,$(INITRD)) $(call knob,--shake,$(SHAKE)) \
	$(call knob,--duration,$(DURATION)) \
	$(call knob,--sabotage,$(SABOTAGE)) \
	$(call knob,--granule,$(GRANULE)) $(call knob,--dirty,$(DIRTY)) \
	$(if $(filter 1 yes,$(LPA2)),--lpa2) \
	$(call knob,--timeout,$(TIMEOUT)) $(if $(filter 1 yes,$(V)),--verbose) \
	$(if $(filter 1 yes,$(TRACE)),--trace)

.PHONY: build run test test-long quick bench clean help

build:
	@tools/setup build
	@tools/test --only build,build-el2

run:
	@tools/setup run
	@tools/run $(RUN_ARGS)

test:
	@tools/setup test
	@tools/test

quick:
	@tools/setup test
	@tools/test --quick

test-long:
	@tools/setup test
	@tools/test --long

bench:
	@tools/setup bench
	@tools/bench

clean:
	rm -rf build

help:
	@echo 'make            build the library, its tests and the hypervisor'
	@echo 'make run        boot Debian on Nestwalk, move its memory, judge'
	@echo 'make test       everything that must be green'
	@echo 'make quick      a part of it, in less than two minutes'
	@echo 'make test-long  more CPUs, longer property and fuzz runs'
	@echo 'make bench      time and instructions, beside their floors'
	@echo 'make clean      remove build/ (downloads too)'
	@echo
	@echo 'Knobs of make run (tools/run --help says more):'
	@echo '  CPUS=1..4  MEM=512M  CPU=max|cortex-a53|cortex-a72|neoverse-n1'
	@echo '  KERNEL=file  INITRD=file  SHAKE=rate|off  DURATION=seconds'
	@echo '  SABOTAGE=no-tlbi|local-tlbi|no-ipas2|early-free|no-bbm|lost-dirty|stale-dirty'
	@echo '  GRANULE=4k|16k|64k  LPA2=1  DIRTY=auto|hardware|software|off'
	@echo '  TIMEOUT=seconds  V=1 (show the guest console)'
	@echo '  TRACE=1 (leave a trace in build/run/trace for nestwalk check)'
