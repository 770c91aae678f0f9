# report.mk - tests of `lpips report`.  Included after tests/tests.mk, whose lists it adds to.
#
#   make check-report     them alone
#   make check-cluster    the recipes of report/cluster, on hosts and a Slurm that are made up
#                         for it; as root, and not part of `make check`
REPORT_BIN = LPIPS=$(BUILD)/bin/lpips LPIPS_WEIGHTS_PATH=$(WEIGHTS_DIR):$(SHARED)/weights

$(OBJ)/tests/report_plan.o: EXTRA = -Ireport -Imedia -Iffmpeg-filter \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(CLI_PACKAGES)))

$(TESTS_DIR)/report_plan: $(OBJ)/tests/report_plan.o $(CLI_LIB) $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(CLI_LIBS) $(TEST_LIBS) $(ALL_LIBS) -o $@

# OpenBLAS is not instrumented for threads.
ifneq ($(SANITIZE),thread)
TEST_PARTS += report_plan report_run
command_report_run = $(REPORT_BIN) $(PYTHON) tests/report_run.py -v
run-tests: $(TESTS_DIR)/report_plan $(BUILD)/bin/lpips
endif

.PHONY: check-report check-cluster
check-report: $(TESTS_DIR)/report_plan $(BUILD)/bin/lpips ## what `lpips report` plans and scores
	@$(TESTS_DIR)/report_plan
	@$(command_report_run)

check-cluster: $(BUILD)/bin/lpips ## lpips report on several hosts and in Slurm; wants root
	sh tools/deps.sh cluster
	$(REPORT_BIN) $(PYTHON) tests/cluster_parallel.py -v
	$(REPORT_BIN) $(PYTHON) tests/cluster_slurm.py -v
