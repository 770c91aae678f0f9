# report.mk - tests of reports; part of tests.mk.
#
#   test_report_stats    means, intervals, tests, BD-rate
#   report_test.py       a made-up store to tables and page, without a browser
#   report_paper_test.py its tables in a real LaTeX; what is said of few clips
#   report_page.py       the page in Chromium: `make check-page`
$(TESTS_DIR)/test_report_%: $(OBJ)/tests/test_report_%.o $(TESTS_DIR)/libsupport.a $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(TEST_LIBS) $(CLI_LIBS) $(ALL_LIBS) -o $@

# A store and a folder to a report, for the scripts.
$(TESTS_DIR)/report_write: $(OBJ)/tests/report_write.o $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(CLI_LIBS) $(ALL_LIBS) -o $@

$(OBJ)/tests/test_report_%.o: EXTRA = -Ireport
$(OBJ)/tests/report_write.o: EXTRA = -Ireport

REPORT_WRITER = env REPORT_WRITE=$(TESTS_DIR)/report_write LPIPS=$(BUILD)/bin/lpips $(PYTHON)
command_report_test = $(REPORT_WRITER) tests/report_test.py -v
command_report_paper_test = $(REPORT_WRITER) tests/report_paper_test.py -v

# Debian's selenium belongs to its own Python, which need not be the first in the path.
BROWSER_PYTHON = $(or $(shell for p in $(PYTHON) /usr/bin/python3; do \
    $$p -c 'import selenium' 2>/dev/null && echo $$p && break; done),$(PYTHON))
test_page = $(call counted,report-page,env REPORT_WRITE=$(TESTS_DIR)/report_write \
    LPIPS=$(BUILD)/bin/lpips $(BROWSER_PYTHON) tests/report_page.py -v)

.PHONY: check-page
check-page: $(TESTS_DIR)/report_write $(BUILD)/bin/lpips ## the pages of reports and for raters, in a headless Chromium
	@$(test_page)
