# learn.mk - the program lpips-learn.  Wants BUILD, OBJ, what the library is built with, and
# CLI_LIB with its packages: pictures, statistics and progress are those of lpips.
#
#   $(BUILD)/bin/lpips-learn
LEARN_PACKAGES := $(CLI_PACKAGES) libjpeg fftw3 gsl libmicrohttpd openblas
LEARN_SOURCES  := $(wildcard learn/*.c learn/*/*.c)
LEARN_OBJECTS  := $(LEARN_SOURCES:%.c=$(OBJ)/%.o)
include learn/collect/page.mk
# Everything but main(), for tests.
LEARN_LIB      := $(BUILD)/tests/liblearn.a
# OpenBLAS is the BLAS of GSL too: its own would take the place of the library's.
LEARN_LIBS      = $(filter-out -lgslcblas,$(shell pkg-config --libs $(filter-out $(CLI_LOADED),$(LEARN_PACKAGES)))) -ldl
LEARN_INCLUDES  = -Ilearn -Imedia -Icli -Ireport -Iffmpeg-filter \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(LEARN_PACKAGES)))

.PHONY: learn
learn: cli ## the program lpips-learn: how the metric is judged and made
	@sh tools/deps.sh -n build cli learn
	@$(MAKE) --no-print-directory $(BUILD)/bin/lpips-learn

$(LEARN_OBJECTS): EXTRA = $(LEARN_INCLUDES)
# Divisions and roots by vectors: the bits are the same.
$(OBJ)/learn/adam.o: EXTRA += -O3 -fno-math-errno

$(LEARN_LIB): $(filter-out $(OBJ)/learn/main.o,$(LEARN_OBJECTS))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bin/lpips-learn: $(OBJ)/learn/main.o $(LEARN_LIB) $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LEARN_LIBS) $(ALL_LIBS) -o $@

-include $(LEARN_OBJECTS:.o=.d)

# ---- tests -------------------------------------------------------------------
# tests/test_learn_NAME.c look inside, tests/learn_NAME.py run the whole.
$(OBJ)/tests/test_learn_%.o: EXTRA = $(LEARN_INCLUDES)
$(BUILD)/tests/test_learn_%: $(OBJ)/tests/test_learn_%.o $(BUILD)/tests/libsupport.a \
                             $(LEARN_LIB) $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(call wraps,tests/test_learn_$*.c) $^ $(TEST_LIBS) $(LEARN_LIBS) $(ALL_LIBS) -o $@

LEARN_THEMES := $(patsubst tests/learn_%.py,%,$(wildcard tests/learn_*.py))
test_learn = $(foreach t,$(LEARN_THEMES),LPIPS=$(BUILD)/bin/lpips LPIPS_LEARN=$(BUILD)/bin/lpips-learn \
    LPIPS_WEIGHTS_PATH=$(abspath $(WEIGHTS_DIR)):$(abspath $(SHARED)/weights) \
    $(call counted,learn-$t,$(PYTHON) tests/learn_$t.py -v) && ):

.PHONY: check-learn
check-learn: learn cli ## the program lpips-learn
	@$(test_learn)

# The page for raters in Chromium, beside that of reports.
test_collect_page = $(call counted,collect-page,env LPIPS=$(BUILD)/bin/lpips \
    LPIPS_LEARN=$(BUILD)/bin/lpips-learn $(BROWSER_PYTHON) tests/collect_page.py -v)

.PHONY: check-collect-page
check-collect-page: $(BUILD)/bin/lpips $(BUILD)/bin/lpips-learn
	@$(test_collect_page)
check-page: check-collect-page

# ---- installing --------------------------------------------------------------
install_learn = $(if $(shell pkg-config --exists $(LEARN_PACKAGES) && echo yes),install-learn)

.PHONY: install-learn uninstall-learn
install-learn: $(BUILD)/bin/lpips-learn
	install -d $(cli_bin) $(cli_man) $(cli_bash)
	install -m 755 $< $(cli_bin)
	install -m 644 learn/lpips-learn.1 $(cli_man)
	install -m 644 learn/lpips-learn.bash-completion $(cli_bash)/lpips-learn

uninstall-learn:
	rm -f $(cli_bin)/lpips-learn $(cli_man)/lpips-learn.1 $(cli_bash)/lpips-learn
