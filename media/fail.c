/*
 * fail.c - sentences that say why not; whose messages are this program's.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

#include <libavutil/log.h>
#include <libavutil/version.h>

static const AVClass media_class = {
    .class_name = "lpips",
    .item_name = av_default_item_name,
    .version = LIBAVUTIL_VERSION_INT,
};
const AVClass *media_log = &media_class;

int media_fail(char why[MEDIA_WHY], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, MEDIA_WHY, format, arguments);
    va_end(arguments);
    return -1;
}
