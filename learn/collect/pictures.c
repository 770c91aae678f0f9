/*
 * pictures.c - see pictures.h.
 */
#include "pictures.h"

#include "media.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

int collect_picture_read(collect_picture *out, const char *path, char why[LEARN_WHY])
{
    media_source *source;
    const AVFrame *frame;
    int got;

    *out = (collect_picture){0};
    if (media_open(&source, path, 1, why) < 0)
        return -1;
    got = media_next(source, &frame, why);
    if (got > 0 && (out->rgb = media_rgb(frame, why))) {
        out->width = frame->width;
        out->height = frame->height;
    } else if (!got) {
        learn_fail(why, "%s holds no picture", path);
    }
    media_close(source);
    return out->rgb ? 0 : -1;
}

int collect_picture_write(const collect_picture *p, const char *folder,
                          char name[COLLECT_PICTURE + 1], char why[LEARN_WHY])
{
    uint8_t *data;
    size_t size;
    char *path = NULL;
    int status = media_png_encode(&data, &size, p->rgb, p->width, p->height, why);

    if (status < 0)
        return -1;
    status = collect_hash(name, COLLECT_PICTURE, data, size, why);
    if (!status && asprintf(&path, "%s/%s.png", folder, name) < 0) {
        path = NULL;
        status = learn_no_memory(why);
    }
    /* The same content under the same name is there already, whole. */
    if (!status && access(path, F_OK))
        status = media_write_file(path, data, size, why);
    free(path);
    free(data);
    return status;
}

enum { BLOCK = 4 };

static void flatten(const collect_picture *p, int x0, int y0, int c)
{
    const int x1 = x0 + BLOCK < p->width ? x0 + BLOCK : p->width;
    const int y1 = y0 + BLOCK < p->height ? y0 + BLOCK : p->height;
    const size_t row = 3 * (size_t)p->width;
    int sum = 0;

    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            sum += p->rgb[(size_t)y * row + 3 * (size_t)x + (size_t)c];
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            p->rgb[(size_t)y * row + 3 * (size_t)x + (size_t)c] =
                (uint8_t)(sum / ((x1 - x0) * (y1 - y0)));
}

void collect_picture_spoil(collect_picture *p, uint64_t seed, uint64_t key)
{
    const size_t n = 3 * (size_t)p->width * (size_t)p->height;
    learn_random random;

    for (int y = 0; y < p->height; y += BLOCK)
        for (int x = 0; x < p->width; x += BLOCK)
            for (int c = 0; c < 3; c++)
                flatten(p, x, y, c);
    learn_random_start(&random, seed, key);
    for (size_t i = 0; i < n; i++)
        p->rgb[i] =
            (uint8_t)lrint(fmin(fmax(p->rgb[i] + 32 * learn_random_normal(&random), 0), 255));
}
