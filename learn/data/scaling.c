/*
 * scaling.c - see scaling.h.
 */
#include "scaling.h"

const float learn_shift[3] = {-.030F, -.088F, -.188F};
const float learn_scale[3] = {.458F, .448F, .450F};
