# tests.mk - builds and runs the tests.
#
#   make run-tests           all of them
#   make test-net            one: tests/test_net.c
#   QUICK=1                  a smaller choice, the default of instrumented builds
#   SLOW=1                   also test_large.c, which takes minutes
#
# Totals are kept in $(BUILD)/tests/totals; `make test-totals` adds them up.
TESTS_DIR := $(BUILD)/tests
TOTALS    := $(TESTS_DIR)/totals
PYTHON    ?= python3
SHARED    := ../shared

TEST_NAMES := $(sort $(patsubst tests/test_%.c,%,$(wildcard tests/test_*.c)))
ifneq ($(SLOW),1)
TEST_NAMES := $(filter-out large,$(TEST_NAMES))
endif
# OpenBLAS is not instrumented; these do not come near it.
ifeq ($(SANITIZE),thread)
TEST_NAMES := threads promises grad_promises
endif
TEST_PROGRAMS := $(TEST_NAMES:%=$(TESTS_DIR)/test_%)
TEST_SUPPORT  := $(patsubst %.c,$(OBJ)/%.o,learn/data/checkpoint.c \
                   $(wildcard $(addprefix tests/,support.c grad_support.c pictures.c st_writer.c ref.c)))
TEST_LIBS     := -lcmocka -lpng

ifdef SANITIZE
export QUICK ?= 1
# Refused memory is part of what is tested.  Frames that outlive their function are not looked
# for: GCC 13 and 14 do it unasked and then place vectors of 64 bytes at multiples of 32 (their
# bug 110027), so that right code crashes.
export ASAN_OPTIONS ?= allocator_may_return_null=1:detect_leaks=1:detect_stack_use_after_return=0
export TSAN_OPTIONS ?= allocator_may_return_null=1:halt_on_error=1
export UBSAN_OPTIONS ?= print_stacktrace=1
endif

# Functions that a test replaces by its own __wrap_NAME.
wraps = $$(sed -n 's/.*__wrap_\([a-z_]*\)(.*/-Wl,--wrap=\1/p' $1 | sort -u)

$(OBJ)/tests/ref.o: EXTRA = -O3
$(OBJ)/tests/support.o: EXTRA = -DTEST_WEIGHTS_DIR='"$(WEIGHTS_DIR)"'

# ---- programs ----------------------------------------------------------------
$(TESTS_DIR)/libsupport.a: $(TEST_SUPPORT)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(TESTS_DIR)/test_%: $(OBJ)/tests/test_%.o $(TESTS_DIR)/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(call wraps,tests/test_$*.c) $^ $(TEST_LIBS) $(ALL_LIBS) -o $@

$(TESTS_DIR)/checkkernels: $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/checkkernels*.c)) \
                           $(TESTS_DIR)/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(TEST_LIBS) $(ALL_LIBS) -o $@

$(TESTS_DIR)/replay: $(OBJ)/tests/fuzz/replay.o $(OBJ)/tests/fuzz/fuzz_weights.o \
                     $(TESTS_DIR)/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(ALL_LIBS) -o $@

# For filter_colour.py: what the filter scored, scored by ref.c.
$(TESTS_DIR)/score_dump: $(OBJ)/tests/score_dump.o $(TESTS_DIR)/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(TEST_LIBS) $(ALL_LIBS) -o $@

include tests/report.mk

.SECONDARY: $(TEST_NAMES:%=$(OBJ)/tests/test_%.o)
-include $(wildcard $(OBJ)/tests/*.d $(OBJ)/tests/fuzz/*.d)

# ---- weights that only tests use ---------------------------------------------
# No package holds squeeze's backbone: its version 0.0 is put together from ../shared.
ifneq ($(wildcard $(SHARED)/weights/lin),)
TEST_WEIGHTS := build/tests/weights/lpips-squeeze-v0.0.safetensors
endif

build/tests/weights/lpips-%-v0.0.safetensors: tests/make_v00.py \
        $(SHARED)/weights/lpips-%-v0.1.safetensors $(SHARED)/weights/lin/v0.0_%.pth
	@mkdir -p $(@D)
	$(PYTHON) tests/make_v00.py $* $(filter %.safetensors %.pth,$^) $@

# ---- running -----------------------------------------------------------------
# name=command for run.sh; the quickest first.
TEST_PARTS := $(TEST_NAMES:%=test_%)
ifneq ($(SANITIZE),thread)
TEST_PARTS += $(patsubst tests/%.c,%,$(wildcard tests/checkkernels.c))
TEST_PARTS += $(if $(wildcard tests/fuzz/replay.c),replay) $(GEGL_TEST)
endif
ifndef SANITIZE
TEST_PARTS += $(patsubst tests/%.py,%,$(wildcard tests/*_test.py))
else ifneq ($(SANITIZE),thread)
TEST_PARTS += report_test
endif
TEST_BUILT := $(filter $(TESTS_DIR)/%,$(foreach p,$(TEST_PARTS),\
                $(if $(wildcard tests/$p.py),,$(TESTS_DIR)/$p)))
# Once more with those kernels of OpenBLAS whose rows are not all summed alike (core/blas.c).
ifndef SANITIZE
TEST_PARTS += $(if $(shell grep -m1 -w avx2 /proc/cpuinfo),checkkernels-haswell)
endif
TEST_BUILT += $(if $(filter report_test,$(TEST_PARTS)),$(TESTS_DIR)/report_write $(BUILD)/bin/lpips)

command_checkkernels-haswell = env OPENBLAS_CORETYPE=Haswell $(TESTS_DIR)/checkkernels
command_replay = $(TESTS_DIR)/replay tests/fuzz/corpus/*
command_of = $(or $(command_$1),$(if $(wildcard tests/$1.py),\
               $(PYTHON) tests/$1.py -v,$(TESTS_DIR)/$1))
run_part = CMOCKA_MESSAGE_OUTPUT=TAP sh tests/run.sh $(TOTALS) $1 $(command_of)

# $(call test_filter,VERSION): all that is tested of the filter in one FFmpeg.
FILTER_THEMES := $(patsubst tests/filter_%.py,%,$(wildcard tests/filter_*.py))
test_filter = $(call counted,filter-$1,bash tests/filter.sh $1)$(foreach t,$(FILTER_THEMES), && \
    FFMPEG=$(BUILD)/bin/ffmpeg-$1 $(call counted,filter-$1-$t,$(PYTHON) tests/filter_$t.py -v))

.PHONY: test-programs test-totals $(addprefix test-,$(sort $(TEST_NAMES) large))

test-programs: $(TEST_BUILT)

$(addprefix test-,$(sort $(TEST_NAMES) large)): test-%: $(TESTS_DIR)/test_% $(TEST_WEIGHTS)
	@CMOCKA_MESSAGE_OUTPUT=TAP $<

run-tests: $(TEST_BUILT) $(TEST_WEIGHTS) ## build and run the tests, without the filter
	@rm -f $(TOTALS)
	@$(foreach p,$(TEST_PARTS),$(call run_part,$p) || :;) :
	@sh tests/run.sh $(TOTALS)

test-totals:
	@sh tests/run.sh $(TOTALS)
