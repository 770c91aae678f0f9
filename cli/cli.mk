# cli.mk - the program lpips: command line and reports.  Wants BUILD, OBJ and what the library
# is built with.
#
#   $(BUILD)/bin/lpips
#
# media/ reads, scores and writes pictures for all programs; ffmpeg-filter/lpips_colour.c is
# the filter's own reading of colour tags.
CLI_PACKAGES := libavformat libavcodec libavfilter libswscale libavutil libpng jansson sqlite3
CLI_SOURCES  := $(wildcard media/*.c cli/*.c report/*.c) ffmpeg-filter/lpips_colour.c
CLI_OBJECTS  := $(CLI_SOURCES:%.c=$(OBJ)/%.o)
include report/page.mk
# Everything but main(), for tests.
CLI_LIB      := $(BUILD)/tests/libcli.a
# Those of FFmpeg that are large are loaded by media/libav.c.
CLI_LOADED   := libavformat libavcodec libavfilter
CLI_LIBS      = $(shell pkg-config --libs $(filter-out $(CLI_LOADED),$(CLI_PACKAGES))) -ldl

.PHONY: cli
cli: lib ## the program lpips
	@sh tools/deps.sh -n build cli
	@$(MAKE) --no-print-directory $(BUILD)/bin/lpips

$(CLI_OBJECTS): EXTRA = -Imedia -Icli -Ireport -Iffmpeg-filter \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(CLI_PACKAGES)))

$(CLI_LIB): $(filter-out $(OBJ)/cli/main.o,$(CLI_OBJECTS))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bin/lpips: $(CLI_OBJECTS) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(CLI_LIBS) $(ALL_LIBS) -o $@

-include $(CLI_OBJECTS:.o=.d)

# ---- tests -------------------------------------------------------------------
# Programs in C that look inside, and scripts that run the whole.
CLI_TEST_NAMES := media png
$(CLI_TEST_NAMES:%=$(OBJ)/tests/test_%.o) $(OBJ)/tests/media_support.o: EXTRA = -Imedia -Icli -Ireport -Iffmpeg-filter \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(CLI_PACKAGES)))
$(CLI_TEST_NAMES:%=$(BUILD)/tests/test_%): $(OBJ)/tests/media_support.o $(CLI_LIB)
$(CLI_TEST_NAMES:%=$(BUILD)/tests/test_%): TEST_LIBS += $(CLI_LIB) $(LIBLPIPS) $(CLI_LIBS) -lz

CLI_THEMES := $(patsubst tests/cli_%.py,%,$(wildcard tests/cli_*.py))
test_cli = $(foreach t,$(CLI_THEMES),LPIPS=$(BUILD)/bin/lpips \
    $(call counted,cli-$t,$(PYTHON) tests/cli_$t.py -v) && ):

.PHONY: check-cli
check-cli: cli ## the program lpips; what needs the filter's FFmpeg is skipped without it
	@$(test_cli)

# ---- installing --------------------------------------------------------------
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
cli_bin  = $(DESTDIR)$(PREFIX)/bin
cli_man  = $(DESTDIR)$(MANDIR)/man1
cli_bash = $(DESTDIR)$(BASHDIR)

# The library installs without what the program needs.
install_cli = $(if $(shell pkg-config --exists $(CLI_PACKAGES) && echo yes),install-cli)

.PHONY: install-cli uninstall-cli
install-cli: $(BUILD)/bin/lpips
	install -d $(cli_bin) $(cli_man) $(cli_bash)
	install -m 755 $< $(cli_bin)
	install -m 644 cli/lpips.1 report/lpips-report.1 $(cli_man)
	install -m 644 cli/lpips.bash-completion $(cli_bash)/lpips

uninstall-cli:
	rm -f $(cli_bin)/lpips $(cli_man)/lpips.1 $(cli_man)/lpips-report.1 $(cli_bash)/lpips
