/*
 * request.h - the command line of lpips report.
 */
#ifndef REPORT_REQUEST_H
#define REPORT_REQUEST_H

#include "batch.h"

typedef enum report_command {
    REPORT_ALL,
    REPORT_PLAN,
    REPORT_RUN_ONLY,
    REPORT_MERGE,
    REPORT_WRITE
} report_command;

typedef struct report_request {
    report_command command;
    const char *source; /* a manifest, or the root of a layout */
    const char *out;    /* the report's folder */
    const char *layout, *title, *kind;
    report_method *methods;
    size_t n_methods;
    int every;
    report_settings settings;
    report_run_options run; /* shards: 0 where none were named */
} report_request;

/* Ends the program where the command line is wrong, or asks for help only. */
void report_request_parse(report_request *q, int argc, char **argv);
void report_request_free(report_request *q);

#endif
