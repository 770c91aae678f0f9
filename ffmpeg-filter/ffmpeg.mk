# ffmpeg.mk - an FFmpeg with the lpips filter, in $(BUILD)/bin.  Wants BUILD, LIB and
# DOWNLOAD_DIR.  The system's own FFmpeg is neither used nor touched.

# FFMPEG_SRC=DIR: build from this tree, which is copied and never changed.
FFMPEG_SRC ?=
FFMPEG_DEFAULT := 7.1
# What `make check` builds; those of Debian sid only as long as sid has them.
FFMPEG_ALL     ?= 7.1 5.1 8.1 9.0
FFMPEG_VERSION ?= $(or $(if $(FFMPEG_SRC),$(shell cut -d. -f1,2 '$(FFMPEG_SRC)/RELEASE' 2>/dev/null)),$(FFMPEG_DEFAULT))

FFMPEG_DIR   := $(BUILD)/ffmpeg-$(FFMPEG_VERSION)
FFMPEG_TREE  := $(FFMPEG_DIR)/src
FFMPEG_OBJ   := $(FFMPEG_DIR)/obj
FFMPEG_PATCH := patches/0001-avfilter-add-lpips-n$(FFMPEG_VERSION).patch
FFMPEG_BIN   := $(BUILD)/bin/ffmpeg-$(FFMPEG_VERSION)
# small: fewer codecs, built faster, for tests of a version that is not the default.  What
# was once built in full stays so.
FFMPEG_EXTENT ?= full
FILTER_FILES := $(wildcard ffmpeg-filter/*.c ffmpeg-filter/*.h)

.PHONY: ffmpeg ffmpeg-all ffmpeg-distro patches

ffmpeg: $(FFMPEG_BIN) ## build/bin/ffmpeg-VERSION with the filter; FFMPEG_VERSION=7.1, FFMPEG_SRC=DIR
	@ln -sf ffmpeg-$(FFMPEG_VERSION) $(BUILD)/bin/ffmpeg.new
	@ln -sf ffprobe-$(FFMPEG_VERSION) $(BUILD)/bin/ffprobe.new
	@for p in ffmpeg ffprobe; do \
	    if [ $(FFMPEG_VERSION) = $(FFMPEG_DEFAULT) ] || [ ! -e $(BUILD)/bin/$$p ]; then \
	        mv -f $(BUILD)/bin/$$p.new $(BUILD)/bin/$$p; \
	    else rm $(BUILD)/bin/$$p.new; fi; done

# $(call each_ffmpeg,COMMAND): for each $$v that can be had; one that Debian sid has given
# up says so, whatever else is missing is an error.
each_ffmpeg = set -e; for v in $(FFMPEG_ALL); do had=0; [ -x $(BUILD)/bin/ffmpeg-$$v ] || \
    sh ffmpeg-filter/get-source.sh $$v - '$(DOWNLOAD_DIR)' || had=$$?; \
    case $$had in 0) $1 ;; 3) ;; *) exit $$had ;; esac; done

ffmpeg-all: lib ## the same for each version that `make check` tests: 5.1, 7.1, 8.1, 9.0
	@mkdir -p '$(DOWNLOAD_DIR)' && sh tools/deps.sh build ffmpeg
	@$(call each_ffmpeg,$(MAKE) --no-print-directory ffmpeg FFMPEG_VERSION=$$v FFMPEG_SRC= \
	    $$([ $$v = $(FFMPEG_DEFAULT) ] || echo FFMPEG_EXTENT=small))

# A tree of another origin has to be fetched again.
$(FFMPEG_DIR)/origin: FORCE
	@mkdir -p $(@D)
	@echo '$(FFMPEG_SRC)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(FFMPEG_DIR)/extent: FORCE
	@mkdir -p $(@D)
	@case "$(FFMPEG_EXTENT) $$(cat $@ 2>/dev/null)" in 'full full' | 'small full' | 'small small') ;; \
	    *) echo $(FFMPEG_EXTENT) > $@ ;; esac

$(FFMPEG_DIR)/patched: $(FFMPEG_PATCH) $(FFMPEG_DIR)/origin
	@sh tools/deps.sh build ffmpeg
	@FFMPEG_SRC='$(FFMPEG_SRC)' FFMPEG_RELEASES='$(FFMPEG_RELEASES)' \
	    sh ffmpeg-filter/get-source.sh $(FFMPEG_VERSION) $(FFMPEG_TREE) '$(DOWNLOAD_DIR)'
	@sh ffmpeg-filter/build.sh patch $(FFMPEG_TREE) $(FFMPEG_PATCH)
	@sh ffmpeg-filter/build.sh keep $(FFMPEG_TREE) $(FFMPEG_OBJ) '$(FFMPEG_SRC)'
	@touch $@

patches/0001-avfilter-add-lpips-n%.patch:
	@echo 'ffmpeg: there is no $@; there are:' patches/*.patch >&2; exit 1

# The library is a shared one: a new build of it needs no new FFmpeg.
$(FFMPEG_DIR)/configured: $(FFMPEG_DIR)/patched $(FFMPEG_DIR)/extent ffmpeg-filter/build.sh | lib
	@echo 'configuring FFmpeg $(FFMPEG_VERSION)'
	@sh ffmpeg-filter/build.sh configure $(FFMPEG_TREE) $(FFMPEG_OBJ) $(LIB)/pkgconfig \
	    "$$(cat $(FFMPEG_DIR)/extent)"
	@touch $@

$(FFMPEG_BIN): $(FFMPEG_DIR)/configured $(FILTER_FILES) $(BUILD)/include/lpips.h
	@echo 'building FFmpeg $(FFMPEG_VERSION); $(FFMPEG_OBJ)/make.log grows meanwhile'
	@sh ffmpeg-filter/build.sh filter $(FFMPEG_TREE) $(FILTER_FILES)
	@sh ffmpeg-filter/build.sh make $(FFMPEG_OBJ)
	@mkdir -p $(@D)
	@cp -f $(FFMPEG_OBJ)/ffprobe $(BUILD)/bin/ffprobe-$(FFMPEG_VERSION)
	@cp -f $(FFMPEG_OBJ)/ffmpeg $@

# The patches are made, not written: from the files in ffmpeg-filter/ and clean trees.  No
# tree of 6.1 can be had from Debian; its patch comes from those of 5.1 and 7.1.
PATCH_VERSIONS ?= 5.1 7.1 8.1 9.0
patch_of   = patches/0001-avfilter-add-lpips-n$1.patch
clean_tree = $(BUILD)/ffmpeg-$1/clean

patches: ## write patches/ anew from ffmpeg-filter/ and clean trees
	@set -e; for v in $(PATCH_VERSIONS); do had=0; tree=$(call clean_tree,$$v); \
	    [ -d $$tree ] || sh ffmpeg-filter/get-source.sh $$v $$tree '$(DOWNLOAD_DIR)' || had=$$?; \
	    case $$had in 3) echo "$(call patch_of,$$v) stays as it was"; continue ;; 0) ;; *) exit $$had ;; esac; \
	    $(PYTHON) ffmpeg-filter/make-patch.py $$tree $(call patch_of,$$v); done
	@$(PYTHON) ffmpeg-filter/make-patch.py --between $(call clean_tree,5.1) $(call clean_tree,7.1) \
	    6.1 $(call patch_of,6.1)

# The distribution's own package, with the filter added.
ffmpeg-distro: lib ## build/bin/ffmpeg-distro: Debian's own FFmpeg package with the filter added
	@BUILD=$(BUILD) sh ffmpeg-filter/distro.sh '$(DOWNLOAD_DIR)'
