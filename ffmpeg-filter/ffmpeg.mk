# ffmpeg.mk - an FFmpeg with the lpips filter, in $(BUILD)/bin.  Wants BUILD, LIB and
# DOWNLOAD_DIR.  The system's own FFmpeg is neither used nor touched.

# FFMPEG_SRC=DIR: build from this tree, which is copied and never changed.
FFMPEG_SRC ?=
FFMPEG_DEFAULT := 7.1
FFMPEG_VERSION ?= $(or $(if $(FFMPEG_SRC),$(shell cut -d. -f1,2 '$(FFMPEG_SRC)/RELEASE' 2>/dev/null)),$(FFMPEG_DEFAULT))

FFMPEG_DIR   := $(BUILD)/ffmpeg-$(FFMPEG_VERSION)
FFMPEG_TREE  := $(FFMPEG_DIR)/src
FFMPEG_OBJ   := $(FFMPEG_DIR)/obj
FFMPEG_PATCH := patches/0001-avfilter-add-lpips-n$(FFMPEG_VERSION).patch
FFMPEG_BIN   := $(BUILD)/bin/ffmpeg-$(FFMPEG_VERSION)

.PHONY: ffmpeg patches

ffmpeg: $(FFMPEG_BIN) ## build/bin/ffmpeg with the filter; FFMPEG_VERSION=, FFMPEG_SRC=
	@ln -sf ffmpeg-$(FFMPEG_VERSION) $(BUILD)/bin/ffmpeg.new
	@ln -sf ffprobe-$(FFMPEG_VERSION) $(BUILD)/bin/ffprobe.new
	@for p in ffmpeg ffprobe; do \
	    if [ $(FFMPEG_VERSION) = $(FFMPEG_DEFAULT) ] || [ ! -e $(BUILD)/bin/$$p ]; then \
	        mv -f $(BUILD)/bin/$$p.new $(BUILD)/bin/$$p; \
	    else rm $(BUILD)/bin/$$p.new; fi; done

# A tree of another origin has to be fetched again.
$(FFMPEG_DIR)/origin: FORCE
	@mkdir -p $(@D)
	@echo '$(FFMPEG_SRC)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

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
$(FFMPEG_DIR)/configured: $(FFMPEG_DIR)/patched ffmpeg-filter/build.sh | lib
	@echo 'configuring FFmpeg $(FFMPEG_VERSION)'
	@sh ffmpeg-filter/build.sh configure $(FFMPEG_TREE) $(FFMPEG_OBJ) $(LIB)/pkgconfig
	@touch $@

$(FFMPEG_BIN): $(FFMPEG_DIR)/configured ffmpeg-filter/vf_lpips.c $(BUILD)/include/lpips.h
	@echo 'building FFmpeg $(FFMPEG_VERSION); $(FFMPEG_OBJ)/make.log grows meanwhile'
	@cmp -s ffmpeg-filter/vf_lpips.c $(FFMPEG_TREE)/libavfilter/vf_lpips.c || \
	    cp ffmpeg-filter/vf_lpips.c $(FFMPEG_TREE)/libavfilter/
	@sh ffmpeg-filter/build.sh make $(FFMPEG_OBJ)
	@mkdir -p $(@D)
	@cp -f $(FFMPEG_OBJ)/ffprobe $(BUILD)/bin/ffprobe-$(FFMPEG_VERSION)
	@cp -f $(FFMPEG_OBJ)/ffmpeg $@

# The patches are made, not written: from the files in ffmpeg-filter/ and a clean tree.
PATCH_VERSIONS ?= 5.1 7.1 8.1 9.0

patches: ## write patches/ anew from ffmpeg-filter/ and clean trees
	@set -e; for v in $(PATCH_VERSIONS); do \
	    tree=$(BUILD)/ffmpeg-$$v/clean; \
	    [ -d $$tree ] || sh ffmpeg-filter/get-source.sh $$v $$tree '$(DOWNLOAD_DIR)'; \
	    $(PYTHON) ffmpeg-filter/make-patch.py $$tree patches/0001-avfilter-add-lpips-n$$v.patch; \
	done
