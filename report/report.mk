# report.mk - tests of `lpips report`.  Included after tests/tests.mk, whose lists it adds to.
#
#   make check-report     them alone
#   make check-cluster    the recipes of report/cluster, on hosts and a Slurm that are made up
#                         for it; as root, and not part of `make check`
REPORT_BIN = env LPIPS=$(BUILD)/bin/lpips LPIPS_WEIGHTS_PATH=$(abspath $(WEIGHTS_DIR))

REPORT_TESTS := $(TESTS_DIR)/report_plan $(TESTS_DIR)/report_layout

$(OBJ)/tests/report_plan.o $(OBJ)/tests/report_layout.o: EXTRA = -Ireport -Imedia -Iffmpeg-filter \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(CLI_PACKAGES)))

$(REPORT_TESTS): $(TESTS_DIR)/%: $(OBJ)/tests/%.o $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(CLI_LIBS) $(TEST_LIBS) $(ALL_LIBS) -o $@

# OpenBLAS is not instrumented for threads.
ifneq ($(SANITIZE),thread)
TEST_PARTS += report_plan report_layout report_run
# Instrumented, what is broken is enough.
command_report_run = $(REPORT_BIN) $(PYTHON) tests/report_run.py -v $(if $(SANITIZE),BadInput)
run-tests: $(REPORT_TESTS) $(BUILD)/bin/lpips
endif

.PHONY: check-report check-cluster
check-report: $(REPORT_TESTS) $(BUILD)/bin/lpips ## what `lpips report` plans and scores
	@$(TESTS_DIR)/report_plan
	@$(TESTS_DIR)/report_layout
	@$(command_report_run)

check-cluster: $(BUILD)/bin/lpips ## lpips report on several hosts and in Slurm; wants root
	sh tools/deps.sh cluster
	$(REPORT_BIN) bash tests/cluster_parallel.sh
	$(REPORT_BIN) bash tests/cluster_slurm.sh
