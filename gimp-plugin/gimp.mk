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
