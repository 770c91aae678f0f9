/*
 * media_support.h - what the tests of media/ share: a folder of their own, and reading a
 * file.
 */
#ifndef TESTS_MEDIA_SUPPORT_H
#define TESTS_MEDIA_SUPPORT_H

#include "media.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Of the last call that failed. */
extern char why[MEDIA_WHY];

/* Made and removed by the two functions below, which are for a group of tests. */
extern char folder[];
int make_folder(void **state);
int remove_folder(void **state);

/* Valid until the next call. */
const char *in_folder(const char *name);

/* The one frame of a file, to be freed; NULL and why. */
AVFrame *read_frame(const char *path);

#endif
