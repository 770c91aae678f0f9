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
CLI_LIBS      = $(shell pkg-config --libs $(CLI_PACKAGES))

.PHONY: cli
cli: $(BUILD)/bin/lpips ## the program lpips

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
