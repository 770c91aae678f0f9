/*
 * train.c - see train.h.
 *
 * Patches of the sources are read once and shared; each network is one thread's work, and
 * depends on the patches, the seed and its number alone.
 */
#include "train.h"

#include "clip.h"
#include "internal.h"
#include "share.h"
#include "trial.h"

#include "batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATCH_BYTES = 3 * DISTORT_PATCH * DISTORT_PATCH };

/* ---- patches ----------------------------------------------------------------------------
 */

/* Patch number `number` of all, out of one source. */
typedef struct patch {
    size_t number;
    int64_t frame;
    double across, down;
} patch;

typedef struct reading {
    const char *path;
    const patch *next;
    uint8_t *rgb; /* of all patches */
} reading;

static int by_frame(const void *a, const void *b)
{
    const patch *s = a, *t = b;

    if (s->frame != t->frame)
        return s->frame < t->frame ? -1 : 1;
    return s->number < t->number ? -1 : s->number > t->number;
}

static int cut(void *context, const distort_frame *f, char why[LEARN_WHY])
{
    reading *r = context;
    const patch *p = r->next++;

    if (f->width < DISTORT_PATCH || f->height < DISTORT_PATCH)
        return learn_fail(why, "%s is %dx%d: patches are %dx%d, so leave it out", r->path,
                          f->width, f->height, DISTORT_PATCH, DISTORT_PATCH);
    distort_crop(r->rgb + p->number * PATCH_BYTES, f->rgb, f->width,
                 (int)(p->across * (f->width - DISTORT_PATCH + 1)),
                 (int)(p->down * (f->height - DISTORT_PATCH + 1)), DISTORT_PATCH,
                 DISTORT_PATCH);
    return 0;
}

/* Patches `first` to `end` - 1 of all, which are of one source. */
static int read_source(const char *path, const distort_train *t, size_t first, size_t end,
                       uint8_t *rgb, char why[LEARN_WHY])
{
    const size_t n = end - first;
    patch *patches = calloc(n, sizeof *patches);
    int64_t *frames = calloc(n, sizeof *frames), count;
    reading r = {path, patches, rgb};
    int status = patches && frames ? 0 : learn_no_memory(why);

    count = status ? -1 : distort_clip_count(path, why);
    if (count < 0)
        status = -1;
    for (size_t i = 0; i < n && !status; i++) {
        learn_random random;

        learn_random_start(&random, t->seed, learn_random_key(first + i, "patch"));
        patches[i] = (patch){.number = first + i,
                             .frame = (int64_t)learn_random_below(&random, (uint64_t)count)};
        patches[i].across = learn_random_unit(&random);
        patches[i].down = learn_random_unit(&random);
    }
    if (!status)
        qsort(patches, n, sizeof *patches, by_frame);
    for (size_t i = 0; i < n && !status; i++)
        frames[i] = patches[i].frame;
    if (!status)
        status = distort_clip_read(path, frames, n, cut, &r, why);
    free(frames);
    free(patches);
    return status;
}

/* As many of each source as of the others, source after source: those held out, which come
 * first, are of the first sources, most of which nothing is learnt from where there are many.
 * 1: stopped meanwhile. */
static int read_patches(const distort_train *t, generator_data *data, char why[LEARN_WHY])
{
    char **names;
    size_t n, first = 0;
    int status = report_names(t->in, NULL, &names, &n, why);

    if (status < 0)
        return -1;
    if (!n)
        status =
            learn_fail(why, "%s: the folder is empty; pictures and clips are wanted", t->in);
    data->side = DISTORT_PATCH;
    data->n = (size_t)t->patches;
    data->corrupt = distort_cnn_corrupt;
    data->rgb = calloc(data->n, PATCH_BYTES);
    if (!data->rgb && !status)
        status = learn_no_memory(why);
    for (size_t i = 0; i < n && !status; i++) {
        const size_t end = (i + 1) * data->n / n;
        char *path = report_join(t->in, names[i]);

        if (!path)
            status = learn_no_memory(why);
        else if (end > first)
            status = read_source(path, t, first, end, data->rgb, why);
        free(path);
        first = end;
        if (!status)
            status = *t->stop != 0;
    }
    report_names_free(names, n);
    return status;
}

/* ---- work --------------------------------------------------------------------------------
 */

typedef struct run {
    const distort_train *t;
    generator_data data;
    uint64_t pictures; /* their mark */
} run;

/* 1: it is there, of this very origin; 0: it is not; -1: it is another, and why. */
static int made_before(const run *r, const distort_cnn_origin *o, const char *name,
                       char why[LEARN_WHY])
{
    char *path = report_join(r->t->out, name);
    distort_cnn c = {0};
    int status = path ? report_exists(path) : learn_no_memory(why);

    if (status > 0 && distort_cnn_read(&c, r->t->out, name, why))
        status = -1;
    if (status > 0 && (c.origin.seed != o->seed || c.origin.number != o->number ||
                       c.origin.steps != o->steps || c.origin.pictures != o->pictures))
        status = learn_fail(why,
                            "%s was made with another --seed, --steps, --patches or other "
                            "pictures: remove it, or choose another --out",
                            path);
    distort_cnn_free(&c);
    free(path);
    return status;
}

static int told(void *share)
{
    return distort_share_step(share);
}

static int train_one(distort_share *share, size_t number, void *room, char why[LEARN_WHY])
{
    const run *r = share->context;
    distort_cnn c = {.origin = {r->t->seed, (uint64_t)number, r->pictures, r->t->steps}};
    char name[32];
    int status;

    (void)room;
    snprintf(name, sizeof name, "%03zu.safetensors", number);
    status = made_before(r, &c.origin, name, why);
    if (status > 0) {
        for (int i = 0; i < r->t->steps; i++)
            told(share);
        return 0;
    }
    generator_draw(&c.fitted.design, r->t->seed, (uint64_t)number);
    if (!status)
        status = generator_fit(&c.fitted, &r->data, r->t->steps, r->t->seed, (uint64_t)number,
                               told, share, why);
    if (!status)
        status = distort_cnn_write(&c, r->t->out, name, why);
    distort_cnn_free(&c);
    return status;
}

static int train_all(run *r, char why[LEARN_WHY])
{
    const distort_train *t = r->t;
    distort_share share = {.items = (size_t)t->count,
                           .steps = (size_t)t->count * (size_t)t->steps,
                           .workers = t->workers,
                           .quiet = t->quiet,
                           .stop = t->stop,
                           .context = r,
                           .work = train_one};

    return distort_share_run(&share, why);
}

/* ---- all of it
 * ----------------------------------------------------------------------------- */

static bool wants_vgg(const distort_train *t)
{
    for (int i = 0; i < t->count; i++) {
        generator_design d;

        generator_draw(&d, t->seed, (uint64_t)i);
        if (d.value[GENERATOR_VGG] != 0)
            return true;
    }
    return false;
}

/* A file of its name would come out only when the first network is to be written. */
static int make_folder(const char *out, char why[LEARN_WHY])
{
    struct stat about;

    if (!mkdir(out, 0777))
        return 0;
    if (errno == EEXIST && !stat(out, &about) && !S_ISDIR(about.st_mode))
        errno = ENOTDIR;
    return errno == EEXIST ? 0
                           : learn_fail(why, "%s cannot be made: %s", out, strerror(errno));
}

int distort_train_run(const distort_train *t, char why[LEARN_WHY])
{
    run r = {.t = t};
    char detail[LEARN_WHY];
    int status = 0;

    if (wants_vgg(t) &&
        lpips_weights_find(&r.data.vgg, LPIPS_NET_VGG, "0.1", detail, sizeof detail))
        status =
            learn_fail(why, "VGG's features are part of what networks learn by: %s", detail);
    if (!status)
        status = read_patches(t, &r.data, why);
    if (!status)
        status = make_folder(t->out, why);
    if (!status) {
        r.pictures = distort_cnn_mark(r.data.rgb, r.data.n * PATCH_BYTES);
        status = train_all(&r, why);
    }
    lpips_weights_unref(r.data.vgg);
    free(r.data.rgb);
    return status;
}
