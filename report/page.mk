# page.mk - the page of a report, compiled in.  Wants BUILD, OBJ, PYTHON; adds to CLI_OBJECTS.
#
# Chart.js comes from Debian's libjs-chart.js (CHART_JS=file: another copy); its notice stays.
CHART_JS ?= /usr/share/javascript/chart.js/chart.min.js

REPORT_PAGE  := $(addprefix report/page/,page.html style.css tables.js charts.js page.js \
                  chart.js-licence.txt)
REPORT_SHELL := $(BUILD)/report/shell.html

$(REPORT_SHELL): report/page/assemble.py $(REPORT_PAGE) $(CHART_JS)
	@mkdir -p $(@D)
	python3 report/page/assemble.py report/page $(CHART_JS) > $@

$(OBJ)/report/shell.o: report/shell.S $(REPORT_SHELL) $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) -fPIC -DREPORT_SHELL_FILE='"$(REPORT_SHELL)"' -c $< -o $@

CLI_OBJECTS += $(OBJ)/report/shell.o
