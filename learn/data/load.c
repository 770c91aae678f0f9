/*
 * load.c - see load.h.
 */
#include "load.h"

#include "media.h"
#include "resize.h"

#include <stdlib.h>

int learn_load(learn_picture *out, const char *path, char why[LEARN_WHY])
{
    media_source *source;
    const AVFrame *frame;
    int got = media_open(&source, path, 1, why);

    *out = (learn_picture){0};
    if (got < 0)
        return -1;
    got = media_next(source, &frame, why);
    if (!got)
        learn_fail(why, "%s holds no picture", path);
    if (got > 0) {
        out->rgb = media_rgb(frame, why);
        out->width = frame->width;
        out->height = frame->height;
        out->stride = (ptrdiff_t)3 * frame->width;
    }
    media_close(source);
    return out->rgb ? 0 : -1;
}

int learn_load_resized(learn_picture *out, const char *path, int size, char why[LEARN_WHY])
{
    learn_picture whole;
    int64_t width = size, height = size;

    if (learn_load(&whole, path, why))
        return -1;
    *out = whole;
    if (!size || (whole.width < whole.height ? whole.width : whole.height) == size)
        return 0;
    if (whole.width < whole.height)
        height = (int64_t)size * whole.height / whole.width;
    else
        width = (int64_t)size * whole.width / whole.height;
    out->width = width > INT32_MAX ? INT32_MAX : (int)width;
    out->height = height > INT32_MAX ? INT32_MAX : (int)height;
    out->stride = (ptrdiff_t)3 * out->width;
    out->rgb = learn_resize(&whole, out->width, out->height, why);
    free((void *)whole.rgb);
    return out->rgb ? 0 : -1;
}
