/*
 * data_set.h - a data set in its folders, and the methods that were run on it.
 */
#ifndef REPORT_DATA_SET_H
#define REPORT_DATA_SET_H

#include "batch.h"

typedef struct report_data_set {
    report_plan *plan;
    const char *root;
    const report_method *methods;
    size_t n;
    const char *const *outputs; /* of triplets: names that are looked for */
} report_data_set;

/* clips.c */
int report_layout_xiph(const report_data_set *d, char why[REPORT_WHY]);

#endif
