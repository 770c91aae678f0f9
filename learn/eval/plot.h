/*
 * plot.h - scores over distances as a picture: an SVG file that needs nothing else.
 */
#ifndef LEARN_PLOT_H
#define LEARN_PLOT_H

#include <stdio.h>

#include "correlate.h"

/* One panel. */
typedef struct learn_panel {
    const char *title, *note; /* above it; below the title, smaller */
    const double *x, *y;
    size_t n;
    learn_curve curve;
} learn_panel;

/* Panels side by side in two columns; y_name is what the vertical axes show. */
void learn_plot(FILE *f, const learn_panel *panels, size_t n, const char *y_name);

#endif
