# liblpips.  `make` builds the library and the bench; `make help` lists the targets.

# ---- what may be set: make VARIABLE=value ------------------------------------
BUILD   ?= build
CFLAGS  ?= -O2 -g
WERROR  ?=
# BUILTIN=0: no weights inside the library.  BLAS=0: no OpenBLAS.
BUILTIN ?= 1
BLAS    ?= 1
# address,undefined or thread: an instrumented build (give it a BUILD of its own)
SANITIZE ?=

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share

# Downloads and weights are shared by all builds, instrumented ones too.
DOWNLOAD_DIR ?= $(or $(LPIPS_CACHE),build/download)
WEIGHTS_DIR  ?= build/weights

# ---- what follows from it ----------------------------------------------------
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all lib bench bench-filter peers weights ffmpeg demo check run-tests gates \
        check-filter asan ubsan tsan fuzz install uninstall clean help format-check deps FORCE
all: lib $(BUILD)/bin/lpips-bench

header_version = $(shell sed -n 's/^.define LPIPS_VERSION_$1 *\([0-9]*\).*/\1/p' core/lpips.h)
MAJOR   := $(call header_version,MAJOR)
VERSION := $(MAJOR).$(call header_version,MINOR).$(call header_version,PATCH)

ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
OBJ  := $(BUILD)/obj
LIB  := $(BUILD)/lib
SO   := $(LIB)/liblpips.so.$(MAJOR)
LIBLPIPS := $(LIB)/liblpips.a
BUILTIN_FILE := $(WEIGHTS_DIR)/lpips-alex-v0.1.safetensors

SOURCES := $(wildcard core/*.c core/c/*.c weights/*.c)
DEFINES := -D_GNU_SOURCE -DLPIPS_DATADIR='"$(DATADIR)/liblpips"'
ifeq ($(ARCH),x86_64)
SOURCES += $(wildcard core/x86/*.c)
DEFINES += -DLPIPS_HAVE_X86
endif
ifeq ($(BUILTIN),0)
DEFINES += -DLPIPS_NO_BUILTIN
endif
ifeq ($(BLAS),0)
SOURCES := $(filter-out core/blas.c,$(SOURCES))
DEFINES += -DLPIPS_NO_BLAS
else
BLAS_CFLAGS := $(shell pkg-config --cflags openblas 2>/dev/null)
BLAS_LIBS   := $(or $(shell pkg-config --libs openblas 2>/dev/null),-lopenblas)
endif
OBJECTS := $(SOURCES:%.c=$(OBJ)/%.o) $(OBJ)/core/builtin.o

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# No contraction: the plain C path rounds alike on every CPU, and FMA is used where it
# is written.
ALL_CFLAGS = -std=c11 $(CFLAGS) -fPIC -fvisibility=hidden -ffp-contract=off -pthread \
             $(WARNINGS) $(WERROR) $(DEFINES) -Icore -MMD -MP $(SANITIZER)
ALL_LDFLAGS = -pthread $(LDFLAGS) $(SANITIZER)
ALL_LIBS = -ldl -lm
ifdef SANITIZE
SANITIZER := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
ALL_LDFLAGS += -Wl,-z,defs
endif

# ---- the library -------------------------------------------------------------
lib: $(LIB)/liblpips.so $(LIBLPIPS) $(LIB)/pkgconfig/liblpips.pc ## shared and static library

# Without errno a root can be a vector.
$(OBJ)/core/c/%.o: EXTRA = -O3 -fno-math-errno
# What every start waits for.
$(OBJ)/core/model.o $(OBJ)/core/pack.o: EXTRA = -O3
# Their assembly needs the register that instrumented builds would keep for frames.
$(OBJ)/core/x86/kernels_avx2.o: EXTRA = -O3 -fno-math-errno -fomit-frame-pointer -mavx2 -mfma
$(OBJ)/core/x86/kernels_avx512.o: EXTRA = -O3 -fno-math-errno -fomit-frame-pointer -mavx512f -mavx512vl \
                                          -mavx512bw -mavx512dq -mfma -mprefer-vector-width=512
$(OBJ)/core/blas.o $(OBJ)/tests/bench.o: EXTRA = $(BLAS_CFLAGS)

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(EXTRA) $(CPPFLAGS) -c $< -o $@

$(OBJ)/core/builtin.o: core/builtin.S $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) -fPIC $(DEFINES) -DLPIPS_BUILTIN_FILE='"$(BUILTIN_FILE)"' -c $< -o $@
ifneq ($(BUILTIN),0)
$(OBJ)/core/builtin.o: $(BUILTIN_FILE)
endif

$(SO): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,$(@F) $(ALL_LDFLAGS) $(OBJECTS) $(ALL_LIBS) -o $@

$(LIB)/liblpips.so: $(SO)
	ln -sf $(<F) $@

$(LIBLPIPS): $(OBJECTS)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $(OBJECTS)

# The built library as others see it: one header, one pkg-config file.
$(BUILD)/include/lpips.h: core/lpips.h
	@mkdir -p $(@D)
	cp $< $@

# $(call pc,prefix,libdir,includedir,weightsdir)
pc = sed -e 's,@prefix@,$1,; s,@libdir@,$2,; s,@includedir@,$3,; s,@weightsdir@,$4,' \
         -e 's,@version@,$(VERSION),' liblpips.pc.in

$(LIB)/pkgconfig/liblpips.pc: liblpips.pc.in $(BUILD)/include/lpips.h $(OBJ)/flags
	@mkdir -p $(@D)
	$(call pc,$(abspath $(BUILD)),$(abspath $(LIB)),$(abspath $(BUILD)/include),$(abspath $(WEIGHTS_DIR))) > $@

# Changes when the flags do, so that objects are never linked with stale ones.
$(OBJ)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(CFLAGS) $(CPPFLAGS) $(DEFINES) $(SANITIZER))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else sh tools/deps.sh -n build || :; mv $@.new $@; fi

-include $(OBJECTS:.o=.d)

PEERS ?= build/peers/bin/python
bench: $(BUILD)/bin/lpips-bench ## time the library, beside other runtimes after `make peers`
	sh tools/bench.sh $< $(PEERS)

DISTORTED ?= $(BUILD)/clips/carphone_distorted.mp4
REFERENCE ?= $(BUILD)/clips/carphone_pristine.mp4
bench-filter: ffmpeg $(BUILD)/bin/lpips-bench ## the filter beside psnr, ssim, libvmaf; DISTORTED=, REFERENCE=
	sh tools/get-clip.sh $(BUILD)/clips '$(DOWNLOAD_DIR)'
	LPIPS_WEIGHTS_PATH=$(WEIGHTS_DIR):$(SHARED)/weights sh tools/bench-filter.sh $(BUILD)/bin/ffmpeg \
	    $(BUILD)/bin/lpips-bench '$(DISTORTED)' '$(REFERENCE)'

peers: ## the runtimes that `make bench` compares with, in build/peers (some GB)
	python3 -m venv build/peers
	build/peers/bin/pip install -q -r ../shared/tools/peers-requirements.txt

$(BUILD)/bin/lpips-bench: $(OBJ)/tests/bench.o $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(BLAS_LIBS) $(ALL_LIBS) -o $@
-include $(OBJ)/tests/bench.d

# ---- weights, FFmpeg, GIMP, tests --------------------------------------------
include weights/weights.mk
include ffmpeg-filter/ffmpeg.mk
include gimp-plugin/gimp.mk
include cli/cli.mk
include learn/learn.mk
include tests/tests.mk
include report/report.mk

# ---- the two commands of the README ------------------------------------------
# As many jobs as there are cores, unless -j was given.
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
WERROR_CHECK ?= -Werror
# $(call counted,NAME,COMMAND): run, show, and add to the totals of run-tests.
counted = sh tests/run.sh $(TOTALS) $1 $2

demo: ## install what is missing, build all, score a short clip
	sh tools/deps.sh build weights ffmpeg
	$(MAKE) $(jobs) lib weights ffmpeg
	sh tools/demo.sh

check: ## install what is missing, build all, pass every test
	sh tools/deps.sh
	sh tools/deps.sh gimp || echo 'GIMP cannot be had here; its tests are skipped'
	sh tools/deps.sh browser || echo 'Chromium cannot be had here; its tests are skipped'
	$(MAKE) $(jobs) WERROR=$(WERROR_CHECK) all weights
	$(MAKE) $(jobs) run-tests
	$(call counted,gates,bash tests/gates.sh $(BUILD))
	$(MAKE) $(jobs) ffmpeg-all $(TESTS_DIR)/score_dump
	$(call counted,patches,bash tests/patches.sh)
	$(MAKE) $(jobs) WERROR=$(WERROR_CHECK) learn
	$(MAKE) check-page
	@$(test_cli)
	@$(test_learn)
	@for v in $(FFMPEG_ALL); do [ ! -x $(BUILD)/bin/ffmpeg-$$v ] || \
	    { $(call test_filter,$$v); } || exit 1; done
	$(MAKE) $(jobs) gimp-tested
	@$(test_gimp)
	$(MAKE) $(jobs) asan
	$(MAKE) $(jobs) tsan
	@cat build/asan/tests/totals build/tsan/tests/totals >> $(TOTALS)
	@$(MAKE) -s test-totals

deps: ## install what building, the demo and the tests need
	sh tools/deps.sh

gates: lib ## rules that a machine can check
	bash tests/gates.sh $(BUILD)

check-filter: ffmpeg lib $(TESTS_DIR)/score_dump ## the filter inside a real FFmpeg; FFMPEG_VERSION=7.1
	@$(call test_filter,$(FFMPEG_VERSION))

# UndefinedBehaviorSanitizer comes along: one build finds the faults of both.
asan ubsan: ## tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' run-tests

tsan: ## tests of the threads under ThreadSanitizer
	$(MAKE) BUILD=build/tsan SANITIZE=thread CFLAGS='-O1 -g' run-tests

FUZZ_SECONDS ?= 60
fuzz: ## the loader of weights against made-up files, for FUZZ_SECONDS=60; needs clang
	sh tools/deps.sh build fuzz
	$(MAKE) $(jobs) BUILD=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
	    CFLAGS='-O1 -g' build/fuzz/bin/fuzz_weights
	mkdir -p build/fuzz/corpus
	build/fuzz/bin/fuzz_weights -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus tests/fuzz/corpus

$(BUILD)/bin/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(BUILD)/tests/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $^ $(ALL_LIBS) -o $@

format-check: ## clang-format finds nothing to change
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')

# ---- installing --------------------------------------------------------------
dest_lib     = $(DESTDIR)$(LIBDIR)
dest_data    = $(DESTDIR)$(DATADIR)/liblpips
dest_include = $(DESTDIR)$(INCLUDEDIR)

install: lib $(install_cli) $(install_learn) ## library, header, program and weights below DESTDIR and PREFIX
	install -d $(dest_include) $(dest_lib)/pkgconfig $(dest_data)
	install -m 644 core/lpips.h $(dest_include)
	install -m 755 $(SO) $(dest_lib)
	ln -sf liblpips.so.$(MAJOR) $(dest_lib)/liblpips.so
	install -m 644 $(LIBLPIPS) $(dest_lib)
	$(call pc,$(PREFIX),$(LIBDIR),$(INCLUDEDIR),$(DATADIR)/liblpips) > $(dest_lib)/pkgconfig/liblpips.pc
	for f in $(WEIGHTS_DIR)/*.safetensors; do \
	    [ ! -e "$$f" ] || install -m 644 "$$f" $(dest_data); done
	[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || :

uninstall: uninstall-cli uninstall-learn ## remove what install put there
	rm -f $(dest_include)/lpips.h $(dest_lib)/liblpips.so $(dest_lib)/liblpips.so.$(MAJOR) \
	    $(dest_lib)/liblpips.a $(dest_lib)/pkgconfig/liblpips.pc $(dest_data)/lpips-*.safetensors
	[ ! -d $(dest_data) ] || rmdir --ignore-fail-on-non-empty $(dest_data)

clean: ## remove what was built; weights and downloads stay
	rm -rf $(OBJ) $(LIB) $(BUILD)/bin $(BUILD)/include $(BUILD)/tests build/asan build/tsan \
	    build/fuzz $(BUILD)/ffmpeg-*

help: ## this list
	@echo 'make TARGET, where TARGET is'
	@sed -n 's/^\([a-z][a-z -]*\):[^#]*## *\(.*\)/    \1|\2/p' $(MAKEFILE_LIST) | \
	    awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo 'Without TARGET: lib and bench.  Variables are described at the top of the Makefile.'
