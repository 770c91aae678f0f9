# gimp.mk - the plug-in for the GIMP that is installed: 2.10 and 3.x, or both.  Wants BUILD,
# OBJ, LIB and what the library is built with.
#
#   $(LIB)/gimp/2.10/lpips/lpips, $(LIB)/gimp/3.0/lpips/lpips
#
# as GIMP wants it: a folder and a program of one name.  The one for 3.0 serves 3.2, too.
GIMP_OUT    := $(LIB)/gimp
GIMP_SHARED := $(addprefix gimp-plugin/,settings.c pair.c answer.c host.c worker.c preview.c dialog.c)
GIMP_GEGL   := $(addprefix gimp-plugin/,settings.c pair.c answer.c host.c worker.c)
# Asked only when something of GIMP is built.
gimp_has      = $(shell pkg-config --exists $1 2>/dev/null && echo yes)
GIMP_VERSIONS ?= $(if $(call gimp_has,gimpui-2.0),2.10) $(if $(call gimp_has,gimpui-3.0),3.0)
gimp_pc_2.10  := gimpui-2.0 gegl-0.4
gimp_pc_3.0   := gimpui-3.0 gegl-0.4
# Their headers warn of themselves, and the dialog uses what both versions of GTK have.
gimp_cflags   = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $1)) -Wno-strict-prototypes \
                -DGETTEXT_PACKAGE='"lpips"' -DGDK_DISABLE_DEPRECATION_WARNINGS \
                -DGLIB_DISABLE_DEPRECATION_WARNINGS

.PHONY: gimp-plugin gimp-pot install-gimp uninstall-gimp install-gimp-system \
        uninstall-gimp-system check-gimp

gimp-plugin: ## the plug-in for the installed GIMP, 2.10 or 3.x, into build/lib/gimp
	@[ -n "$(strip $(GIMP_VERSIONS))" ] || { echo 'gimp-plugin: neither gimpui-2.0 nor' \
	    'gimpui-3.0 is known to pkg-config; `sh tools/deps.sh gimp` installs one' >&2; exit 1; }
	@$(MAKE) --no-print-directory $(foreach v,$(GIMP_VERSIONS),$(GIMP_OUT)/$v/lpips/lpips)

# $(call gimp_rules,VERSION,ADAPTER)
define gimp_rules
$(OBJ)/gimp-$1/%.o: gimp-plugin/%.c $(OBJ)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) $$(call gimp_cflags,$$(gimp_pc_$1)) $$(CPPFLAGS) -c $$< -o $$@
$(GIMP_OUT)/$1/lpips/lpips: $(patsubst gimp-plugin/%.c,$(OBJ)/gimp-$1/%.o,$(GIMP_SHARED) gimp-plugin/$2) $(LIBLPIPS)
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_LDFLAGS) $$^ $$(shell pkg-config --libs $$(gimp_pc_$1)) $$(ALL_LIBS) -o $$@
-include $(patsubst gimp-plugin/%.c,$(OBJ)/gimp-$1/%.d,$(GIMP_SHARED) gimp-plugin/$2)
endef
$(eval $(call gimp_rules,2.10,gimp2.c))
$(eval $(call gimp_rules,3.0,gimp3.c))

# ---- installing --------------------------------------------------------------
# The folder of the user who runs make: GIMP2_DIRECTORY and GIMP3_DIRECTORY as GIMP reads them.
gimp_config    = $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/GIMP
gimp_user_2.10 = $(or $(GIMP2_DIRECTORY),$(gimp_config)/2.10)
gimp_user_3.0  = $(or $(GIMP3_DIRECTORY),$(gimp_config)/$(gimp_minor))
# 3.0 and 3.2 read different folders of the user; pkg-config knows which one is installed.
gimp_minor     = $(or $(shell pkg-config --modversion gimpui-3.0 2>/dev/null | cut -d. -f1,2),3.0)
gimp_system_2.10 = $(shell pkg-config --variable=gimplibdir gimp-2.0)
gimp_system_3.0  = $(shell pkg-config --variable=gimplibdir gimp-3.0)

# $(call gimp_put,FOLDER,VERSION): the program, and the weights that were made.
define gimp_put
install -d '$1/plug-ins/lpips'
install -m 755 $(GIMP_OUT)/$2/lpips/lpips '$1/plug-ins/lpips/lpips'
for f in $(WEIGHTS_DIR)/lpips-*-v0.1.safetensors; do case $$f in *-alex-*) ;; *) \
    [ ! -e "$$f" ] || install -m 644 "$$f" '$1/plug-ins/lpips' ;; esac; done
@echo 'GIMP $2: installed in $1/plug-ins/lpips'

endef
define gimp_remove
rm -f '$1/plug-ins/lpips/lpips' '$1'/plug-ins/lpips/lpips-*.safetensors
[ ! -d '$1/plug-ins/lpips' ] || rmdir --ignore-fail-on-non-empty '$1/plug-ins/lpips'

endef

install-gimp: gimp-plugin ## the plug-in into your GIMP folder (GIMP2_DIRECTORY, GIMP3_DIRECTORY)
	$(foreach v,$(GIMP_VERSIONS),$(call gimp_put,$(gimp_user_$v),$v))

uninstall-gimp: ## remove what install-gimp put there
	$(foreach v,2.10 3.0,$(call gimp_remove,$(gimp_user_$v)))

install-gimp-system: gimp-plugin ## the plug-in for all users, below DESTDIR
	$(foreach v,$(GIMP_VERSIONS),$(call gimp_put,$(DESTDIR)$(gimp_system_$v),$v))

uninstall-gimp-system: ## remove what install-gimp-system put there
	$(foreach v,$(GIMP_VERSIONS),$(call gimp_remove,$(DESTDIR)$(gimp_system_$v)))

# Catalogues are looked for as locale/LANG/LC_MESSAGES/lpips.mo beside the program.
gimp-pot: ## the plug-in's texts for translators; needs xgettext
	mkdir -p $(BUILD)/po
	xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --package-name=liblpips \
	    --copyright-holder='The liblpips authors' -o $(BUILD)/po/lpips.pot gimp-plugin/*.c

# ---- tests -------------------------------------------------------------------
gimp_gegl_cflags = $(call gimp_cflags,gegl-0.4)

$(OBJ)/tests/gimp/%.o: tests/gimp/%.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(gimp_gegl_cflags) $(CPPFLAGS) -c $< -o $@

$(BUILD)/tests/gimp_check: $(OBJ)/tests/gimp/check.o $(BUILD)/tests/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(shell pkg-config --libs gegl-0.4) -lpng $(ALL_LIBS) -o $@

# The shared files alone: a part of run-tests where there is GEGL, instrumented builds too.
GEGL_TEST := $(if $(call gimp_has,gegl-0.4),test_gegl)

$(OBJ)/gegl/%.o: gimp-plugin/%.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(gimp_gegl_cflags) $(CPPFLAGS) -c $< -o $@

$(BUILD)/tests/test_gegl: $(OBJ)/tests/gimp/test_gegl.o $(patsubst gimp-plugin/%.c,$(OBJ)/gegl/%.o,$(GIMP_GEGL)) \
                          $(BUILD)/tests/libsupport.a $(LIBLPIPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(shell pkg-config --libs gegl-0.4) $(TEST_LIBS) $(ALL_LIBS) -o $@
-include $(wildcard $(OBJ)/gegl/*.d $(OBJ)/tests/gimp/*.d)

# Only the modules that scale: others leave memory behind that is not ours.
GEGL_MODULES := $(BUILD)/tests/gegl-modules
command_test_gegl = env GEGL_PATH=$(GEGL_MODULES) LSAN_OPTIONS=suppressions=tests/gimp/leaks.txt \
    $(BUILD)/tests/test_gegl
$(BUILD)/tests/test_gegl: | $(GEGL_MODULES)
$(GEGL_MODULES):
	@mkdir -p $@
	for m in transformops gegl-transformops gegl-core gegl-common; do \
	    ln -sf "$$(pkg-config --variable=pluginsdir gegl-0.4)/$$m"[.-]* $@; done; rm -f $@/*-cxx* $@/*-gpl3*

# What is built for a GIMP that is not there is skipped, and says so.
check-gimp: ## the plug-in in a real GIMP 2.10 and 3.0, without and with a window
	@sh tools/deps.sh gimp || :
	@$(MAKE) $(jobs) --no-print-directory gimp-tested
	@$(test_gimp)

.PHONY: gimp-tested
gimp-tested: lib $(if $(strip $(GIMP_VERSIONS)),gimp-plugin) $(if $(GEGL_TEST),$(BUILD)/tests/gimp_check)

test_gimp = status=0; for v in 2.10 3.0; do \
    $(call counted,gimp-$$v,bash tests/gimp.sh $$v) || status=1; \
    $(call counted,gimp-install-$$v,bash tests/gimp_install.sh $$v) || status=1; \
    $(call counted,gimp-window-$$v,bash tests/gimp_window.sh $$v) || status=1; done; [ $$status = 0 ]
