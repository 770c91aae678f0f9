FATE_FILTER_REFCMP_METADATA-$(call ALLYES, LPIPS_FILTER SCALE_FILTER) += fate-filter-refcmp-lpips-rgb
fate-filter-refcmp-lpips-rgb: CMD = refcmp_metadata lpips rgb24 0.0001

FATE_FILTER_REFCMP_METADATA-$(CONFIG_LPIPS_FILTER) += fate-filter-refcmp-lpips-yuv
fate-filter-refcmp-lpips-yuv: CMD = refcmp_metadata lpips yuv422p 0.0001
