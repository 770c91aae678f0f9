# page.mk - the page of `lpips-learn collect`, compiled in as report/page.mk does it.  Adds to
# LEARN_OBJECTS.
#
# Pictures lie beside the page, as a file or on a server, which does not let a page reach file:.
# data: is for an empty icon: without one browsers ask the server for /favicon.ico.
COLLECT_SCRIPTS := session.js stage.js page.js
COLLECT_PAGE    := $(addprefix learn/collect/page/,page.html style.css $(COLLECT_SCRIPTS))
COLLECT_SHELL   := $(BUILD)/learn/collect.html

$(COLLECT_SHELL): $(ASSEMBLE) $(COLLECT_PAGE)
	@mkdir -p $(@D)
	python3 $(ASSEMBLE) --policy "img-src 'self' file: data:; connect-src 'self'" \
	    learn/collect/page $(COLLECT_SCRIPTS) > $@

$(OBJ)/learn/collect/shell.o: report/shell.S $(COLLECT_SHELL) $(OBJ)/flags
	@mkdir -p $(@D)
	$(call shell_object,collect_shell,$(COLLECT_SHELL))

LEARN_OBJECTS += $(OBJ)/learn/collect/shell.o
