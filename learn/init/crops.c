/*
 * crops.c - crops of a folder's pictures.
 */
#include "crops.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "data/scaling.h"
#include "media.h"

typedef struct rgb_picture {
    uint8_t *rgb; /* packed */
    int width, height;
} rgb_picture;

static int cut(learn_map *m, const rgb_picture *p, const learn_crops *crops, int index)
{
    learn_random random;
    size_t plane, y, x;

    m->channels = 3;
    m->height = p->height < crops->size ? p->height : crops->size;
    m->width = p->width < crops->size ? p->width : crops->size;
    plane = (size_t)m->height * (size_t)m->width;
    learn_random_start(&random, crops->seed, learn_random_key((uint64_t)index, "crop"));
    y = learn_random_below(&random, (uint64_t)(p->height - m->height + 1));
    x = learn_random_below(&random, (uint64_t)(p->width - m->width + 1));
    m->values = malloc(sizeof *m->values * 3 * plane);
    if (!m->values)
        return -1;
    for (size_t i = 0; i < 3 * plane; i++) {
        size_t c = i / plane, row = i % plane / (size_t)m->width;
        size_t at = ((y + row) * (size_t)p->width + x + i % (size_t)m->width) * 3 + c;

        m->values[i] = ((float)p->rgb[at] / 255.f * 2 - 1 - learn_shift[c]) / learn_scale[c];
    }
    return 0;
}

/* The first frame of a file, where it is a picture of use. */
static int decode(rgb_picture *p, const char *path, const learn_crops *crops)
{
    media_source *source;
    const AVFrame *frame;
    char ignored[MEDIA_WHY];
    int good;

    p->rgb = NULL;
    if (media_open(&source, path, 1, ignored))
        return -1;
    good = media_source_info(source)->still && media_next(source, &frame, ignored) > 0 &&
           frame->width >= crops->least && frame->height >= crops->least;
    if (good) {
        p->width = frame->width;
        p->height = frame->height;
        p->rgb = media_rgb(frame, ignored);
    }
    media_close(source);
    return p->rgb ? 0 : -1;
}

static void shuffle(char **names, size_t n, uint64_t seed)
{
    learn_random random;

    learn_random_start(&random, seed, learn_random_key(0, "pictures"));
    for (size_t i = n; i > 1; i--) {
        size_t other = learn_random_below(&random, i);
        char *name = names[i - 1];

        names[i - 1] = names[other];
        names[other] = name;
    }
}

/* As many pictures of use as are wanted, in front of all other names.  Of a large folder the
 * most is not looked at. */
static int sift(char **names, size_t n, learn_crops *crops, char why[LEARN_WHY])
{
    int kept = 0;

    shuffle(names, n, crops->seed);
    for (size_t i = 0; i < n && kept < crops->count; i++) {
        char *path = report_join(crops->folder, names[i]), *name = names[i];
        rgb_picture p;

        if (!path)
            return learn_no_memory(why);
        if (decode(&p, path, crops))
            crops->skipped++;
        else {
            names[i] = names[kept];
            names[kept++] = name;
        }
        free(p.rgb);
        free(path);
    }
    crops->pictures = kept;
    if (kept)
        return 0;
    return learn_fail(
        why,
        "%s: no picture of at least %d by %d pixels among its %zu files: name a "
        "folder of pictures",
        crops->folder, crops->least, crops->least, n);
}

/* Picture i gives crops i, i + pictures, i + 2 pictures and so on. */
static int cut_all(learn_map *maps, char **names, learn_crops *crops, char why[LEARN_WHY])
{
    for (int i = 0; i < crops->pictures; i++) {
        char *path = report_join(crops->folder, names[i]);
        rgb_picture p;
        int status = path ? decode(&p, path, crops) : -1;

        free(path);
        if (status)
            return learn_fail(why, "%s: %s can no longer be read", crops->folder, names[i]);
        for (int k = i; k < crops->count && !status; k += crops->pictures)
            status = cut(&maps[k], &p, crops, k);
        free(p.rgb);
        if (status)
            return learn_no_memory(why);
    }
    return 0;
}

int learn_crops_read(learn_map *maps, learn_crops *crops, char why[LEARN_WHY])
{
    char **names;
    size_t n;
    int status;

    memset(maps, 0, sizeof *maps * (size_t)crops->count);
    crops->pictures = crops->skipped = 0;
    if (report_names(crops->folder, NULL, &names, &n, why))
        return -1;
    status = sift(names, n, crops, why);
    if (!status)
        status = cut_all(maps, names, crops, why);
    report_names_free(names, n);
    return status;
}

void learn_crops_free(learn_map *maps, int count)
{
    for (int i = 0; i < count; i++)
        free(maps[i].values);
}
