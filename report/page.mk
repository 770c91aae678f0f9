# page.mk - the page of a report, compiled in.  Wants BUILD, OBJ, PYTHON; adds to CLI_OBJECTS.
#
# Chart.js comes from Debian's libjs-chart.js (CHART_JS=file: another copy); its notice stays.
CHART_JS ?= /usr/share/javascript/chart.js/chart.min.js

REPORT_SCRIPTS := tables.js charts.js page.js
REPORT_LICENCE := report/page/chart.js-licence.txt
REPORT_PAGE    := $(addprefix report/page/,page.html style.css $(REPORT_SCRIPTS)) $(REPORT_LICENCE)
REPORT_SHELL   := $(BUILD)/report/shell.html
ASSEMBLE       := report/page/assemble.py

$(REPORT_SHELL): $(ASSEMBLE) $(REPORT_PAGE) $(CHART_JS)
	@mkdir -p $(@D)
	python3 $(ASSEMBLE) --library $(CHART_JS) $(REPORT_LICENCE) --policy 'img-src data:' \
	    report/page $(REPORT_SCRIPTS) > $@

# $(call shell_object,NAME,FILE): a page as NAME ... NAME_end.
shell_object = $(CC) -fPIC -DSHELL=$1 -DSHELL_END=$1_end -DSHELL_FILE='"$2"' -c report/shell.S -o $@

$(OBJ)/report/shell.o: report/shell.S $(REPORT_SHELL) $(OBJ)/flags
	@mkdir -p $(@D)
	$(call shell_object,report_shell,$(REPORT_SHELL))

CLI_OBJECTS += $(OBJ)/report/shell.o
