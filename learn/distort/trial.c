/*
 * trial.c - trials of one source, drawn and written.
 */
#include "trial.h"

#include "clip.h"
#include "data/npy.h"
#include "internal.h"
#include "media.h"
#include "csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const distort_subsets[DISTORT_SUBSETS] = {"traditional", "cnn",    "mix",
                                                      "superres",    "deblur", "frameinterp"};

enum { SIDES = 2, TENTHOUSANDTHS = 10000 };

/* Interpolated frames see so much around the patch: what moves comes from there. */
enum { AROUND = 48 };

typedef struct side {
    distort_spec spec; /* n is 0: the reference itself */
    uint64_t seed;
} side;

typedef struct trial {
    int subset;
    size_t number;
    int64_t frame;
    double across, down; /* of the patch, 0..1 of the room there is */
    side sides[SIDES];
    int x, y; /* of the patch, when it was cut */
    double distances[SIDES];
    float verdict; /* 1 where p1 is nearer, 0 where p0 is, 1/2 where neither */
} trial;

/* ---- drawing -------------------------------------------------------------------------- */

static bool is_subset(int subset, const char *name)
{
    return !strcmp(distort_subsets[subset], name);
}

/* Any kind of a subset but one. */
static const distort_kind *draw_kind(learn_random *r, const distort_plan *p,
                                     const char *subset, const distort_kind *but)
{
    const distort_kind *k = p->kinds;
    uint64_t n = 0;

    for (; k->name; k++)
        n += !strcmp(distort_family_subset(k->family), subset) && k != but;
    n = learn_random_below(r, n);
    for (k = p->kinds;; k++)
        if (!strcmp(distort_family_subset(k->family), subset) && k != but && !n--)
            return k;
}

/* In steps that four decimals tell. */
static double draw_strength(learn_random *r, double low, double high)
{
    const uint64_t from = (uint64_t)(low * TENTHOUSANDTHS);
    const uint64_t to = (uint64_t)(high * TENTHOUSANDTHS);

    return (double)(from + learn_random_below(r, to - from + 1)) / TENTHOUSANDTHS;
}

/* One distortion, or as often two. Just noticeable differences are small ones. */
static void draw_traditional(learn_random *r, const distort_plan *p, distort_spec *spec)
{
    const double high = p->task == LEARN_JND ? 0.5 : 1;

    spec->n = 1 + (int)learn_random_below(r, 2);
    for (int i = 0; i < spec->n; i++) {
        spec->kind[i] = draw_kind(r, p, "traditional", i ? spec->kind[0] : NULL);
        spec->strength[i] = draw_strength(r, 0.05, high);
    }
}

/* Algorithms are given the same task, and each is another one. */
static void draw_algorithms(learn_random *r, const distort_plan *p, trial *t, double strength)
{
    const distort_kind *before = NULL;

    for (int i = 0; i < SIDES; i++) {
        before = draw_kind(r, p, distort_subsets[t->subset], before);
        t->sides[i].spec = (distort_spec){1, {before}, {strength}};
    }
}

/* What a network makes is shown as it is; of just noticeable differences, a part of it. */
static double draw_cnn(learn_random *r, const distort_plan *p)
{
    return p->task == LEARN_JND ? draw_strength(r, 0.05, 0.5) : 1;
}

/* One side of each sort, either way round. */
static void draw_mix(learn_random *r, const distort_plan *p, trial *t)
{
    const int which = (int)learn_random_below(r, SIDES);
    const distort_kind *k = draw_kind(r, p, "cnn", NULL);

    draw_traditional(r, p, &t->sides[which].spec);
    t->sides[!which].spec = (distort_spec){1, {k}, {draw_cnn(r, p)}};
}

/* How far off the neighbours are, as far as the clip reaches. */
static int draw_reach(learn_random *r, int64_t frames, double *strength)
{
    const int64_t most = (frames - 1) / 2 < DISTORT_REACH ? (frames - 1) / 2 : DISTORT_REACH;
    const int reach = 1 + (int)learn_random_below(r, (uint64_t)most);

    *strength = rint(TENTHOUSANDTHS * (reach - 1) / (DISTORT_REACH - 1.0)) / TENTHOUSANDTHS;
    return reach;
}

static int draw(const distort_plan *p, const distort_source *s, int64_t frames, int subset,
                int k, trial *t, char why[LEARN_WHY])
{
    const bool interpolated = is_subset(subset, "frameinterp");
    const bool traditional = is_subset(subset, "traditional"),
               mixed = is_subset(subset, "mix");
    double strength = 0;
    int reach = 0;
    learn_random r;

    if (interpolated && frames < 3)
        return learn_fail(why,
                          "%s has %" PRId64 " frame%s: frame interpolation needs clips of 3 "
                          "or more; leave --subset frameinterp out, or this file",
                          s->path, frames, frames == 1 ? "" : "s");
    memset(t, 0, sizeof *t);
    learn_random_start(
        &r, p->seed,
        learn_random_key(learn_random_key((uint64_t)k, distort_subsets[subset]), s->name));
    t->subset = subset;
    t->number = s->rank * (size_t)p->patches + (size_t)k;
    if (interpolated)
        reach = draw_reach(&r, frames, &strength);
    else if (is_subset(subset, "cnn"))
        strength = draw_cnn(&r, p);
    else if (!traditional && !mixed)
        strength = draw_strength(&r, 0, 1);
    t->frame = reach + (int64_t)learn_random_below(&r, (uint64_t)(frames - 2 * reach));
    t->across = learn_random_unit(&r);
    t->down = learn_random_unit(&r);
    for (int i = 0; i < SIDES; i++) {
        t->sides[i].seed = learn_random_bits(&r);
        if (traditional)
            draw_traditional(&r, p, &t->sides[i].spec);
    }
    if (mixed)
        draw_mix(&r, p, t);
    else if (!traditional)
        draw_algorithms(&r, p, t, strength);
    if (p->task == LEARN_JND)
        t->sides[0].spec.n = 0;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const trial *s = a, *t = b;

    if (s->subset != t->subset)
        return s->subset < t->subset ? -1 : 1;
    return s->number < t->number ? -1 : s->number > t->number;
}

static int by_frame(const void *a, const void *b)
{
    const trial *s = a, *t = b;

    if (s->frame != t->frame)
        return s->frame < t->frame ? -1 : 1;
    return by_number(a, b);
}

/* ---- writing --------------------------------------------------------------------------- */

enum { PATCH_BYTES = 3 * DISTORT_PATCH * DISTORT_PATCH };

typedef struct work {
    const distort_plan *plan;
    const distort_source *source;
    learn_judge_room *room;
    int (*told)(void *context);
    void *context;
    trial *trials;
    size_t next;
    uint8_t patch[1 + SIDES][PATCH_BYTES]; /* ref, p0, p1 */
} work;

const char *distort_split(const distort_plan *p, const distort_source *s)
{
    return s->val || p->task == LEARN_JND ? "val" : "train";
}

static char *file_of(const work *w, const trial *t, const char *what, const char *ending)
{
    char *path;

    if (asprintf(&path, "%s/%s/%s/%s/%s/%06zu.%s", w->plan->out,
                 learn_task_name(w->plan->task), distort_split(w->plan, w->source),
                 distort_subsets[t->subset], what, t->number, ending) < 0)
        return NULL;
    return path;
}

static int write_patch(const work *w, const trial *t, int i, char why[LEARN_WHY])
{
    static const char *const folders[] = {"ref", "p0", "p1"};
    const int size = w->plan->size;
    char *path = file_of(w, t, folders[i], "png");
    uint8_t *rgb = malloc(3 * (size_t)size * (size_t)size);
    int status = -1;

    if (!path || !rgb) {
        learn_no_memory(why);
    } else {
        /* the nearest pixel, corners on corners: what the patches of BAPPS are enlarged by */
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++) {
                const int u = (2 * x * (DISTORT_PATCH - 1) + size - 1) / (2 * (size - 1));
                const int v = (2 * y * (DISTORT_PATCH - 1) + size - 1) / (2 * (size - 1));

                memcpy(rgb + 3 * (y * size + x), w->patch[i] + 3 * (v * DISTORT_PATCH + u),
                       3);
            }
        status = media_png_write(path, rgb, size, size, why);
    }
    free(path);
    free(rgb);
    return status;
}

/* The neighbours cut to what lies around the patch, in one block to be freed. */
static uint8_t *cut_neighbours(const distort_frame *f, const trial *t,
                               distort_neighbours *out, char why[LEARN_WHY])
{
    const int x = t->x, y = t->y;
    const int left = x > AROUND ? x - AROUND : 0, top = y > AROUND ? y - AROUND : 0;
    const int right = x + DISTORT_PATCH + AROUND, low = y + DISTORT_PATCH + AROUND;
    const int width = (right < f->width ? right : f->width) - left;
    const int height = (low < f->height ? low : f->height) - top;
    const size_t bytes = 3 * (size_t)width * (size_t)height;
    uint8_t *block = malloc(2 * DISTORT_REACH * bytes);

    *out =
        (distort_neighbours){.width = width, .height = height, .x = x - left, .y = y - top};
    if (!block) {
        learn_no_memory(why);
        return NULL;
    }
    for (int i = 0; i < 2 * DISTORT_REACH; i++) {
        const uint8_t *from = (i & 1 ? f->near.after : f->near.before)[i / 2];
        uint8_t *to = block + (size_t)i * bytes;

        if (!from)
            continue;
        distort_crop(to, from, f->width, left, top, width, height);
        (i & 1 ? out->after : out->before)[i / 2] = to;
    }
    return block;
}

static int distort_sides(work *w, const trial *t, const distort_frame *f, char why[LEARN_WHY])
{
    distort_neighbours near;
    uint8_t *block = cut_neighbours(f, t, &near, why);
    int status = block ? 0 : -1;

    distort_crop(w->patch[0], f->rgb, f->width, t->x, t->y, DISTORT_PATCH, DISTORT_PATCH);
    for (int i = 0; i < SIDES && !status; i++) {
        const side *s = &t->sides[i];

        if (s->spec.n)
            status = distort_apply(&s->spec, w->patch[1 + i], w->patch[0], DISTORT_PATCH,
                                   DISTORT_PATCH, &near, s->seed, why);
        else
            memcpy(w->patch[1 + i], w->patch[0], PATCH_BYTES);
    }
    free(block);
    return status;
}

static int judge(work *w, trial *t, char why[LEARN_WHY])
{
    static const size_t shape[1] = {1};
    const double *d = t->distances;
    learn_picture p[1 + SIDES];
    char *path = file_of(w, t, "judge", "npy");
    int status = path ? 0 : learn_no_memory(why);

    for (int i = 0; i < 1 + SIDES; i++)
        p[i] = (learn_picture){w->patch[i], DISTORT_PATCH, DISTORT_PATCH, 3 * DISTORT_PATCH};
    if (!status)
        status = learn_judge_distances(w->plan->judge, w->room,
                                       (const learn_picture[]){p[0], p[0]}, p + 1, SIDES,
                                       t->distances, why);
    t->verdict = d[1] < d[0] ? 1 : d[0] < d[1] ? 0 : 0.5f;
    if (!status)
        status = learn_npy_write(path, &t->verdict, shape, 1, why);
    free(path);
    return status;
}

static int visit(void *context, const distort_frame *f, char why[LEARN_WHY])
{
    work *w = context;
    trial *t = &w->trials[w->next++];
    int status;

    if (f->width < DISTORT_PATCH || f->height < DISTORT_PATCH)
        return learn_fail(why, "%s is %dx%d: patches are %dx%d, so leave it out",
                          w->source->path, f->width, f->height, DISTORT_PATCH, DISTORT_PATCH);
    t->x = (int)(t->across * (f->width - DISTORT_PATCH + 1));
    t->y = (int)(t->down * (f->height - DISTORT_PATCH + 1));
    status = distort_sides(w, t, f, why);
    for (int i = w->plan->task == LEARN_JND; i < 1 + SIDES && !status; i++)
        status = write_patch(w, t, i, why);
    if (!status && w->plan->judge)
        status = judge(w, t, why);
    return status ? status : w->told(w->context);
}

/* ---- the manifest -----------------------------------------------------------------------
 */

static void write_row(FILE *f, const distort_plan *p, const distort_source *s, const trial *t)
{
    fprintf(f, "%s,%s,%s,%06zu,", learn_task_name(p->task), distort_split(p, s),
            distort_subsets[t->subset], t->number);
    report_csv_text(f, s->name);
    fprintf(f, ",%" PRId64 ",%d,%d", t->frame, t->x, t->y);
    for (int i = 0; i < SIDES; i++) {
        char text[DISTORT_SPEC] = "";

        distort_print(&t->sides[i].spec, text);
        if (t->sides[i].spec.n)
            fprintf(f, ",%s,%" PRIu64, text, t->sides[i].seed);
        else
            fputs(",,", f);
    }
    if (p->judge)
        fprintf(f, ",%.9f,%.9f,%g\n", t->distances[0], t->distances[1], (double)t->verdict);
    else
        fputs(",,,\n", f);
}

static int write_rows(const distort_plan *p, distort_source *s, trial *trials, size_t n,
                      char why[LEARN_WHY])
{
    size_t size;
    FILE *f = open_memstream(&s->rows, &size);

    if (!f)
        return learn_no_memory(why);
    qsort(trials, n, sizeof *trials, by_number);
    for (size_t i = 0; i < n; i++)
        write_row(f, p, s, &trials[i]);
    return fclose(f) ? learn_no_memory(why) : 0;
}

/* ---- a source ----------------------------------------------------------------------------
 */

static int draw_all(const distort_plan *p, const distort_source *s, trial *trials, size_t *n,
                    char why[LEARN_WHY])
{
    const int64_t frames = distort_clip_count(s->path, why);

    *n = 0;
    if (frames < 0)
        return -1;
    for (int subset = 0; subset < DISTORT_SUBSETS; subset++)
        for (int k = 0; k < p->patches && p->subsets[subset]; k++)
            if (draw(p, s, frames, subset, k, &trials[(*n)++], why) < 0)
                return -1;
    qsort(trials, *n, sizeof *trials, by_frame);
    return 0;
}

int distort_source_make(const distort_plan *p, distort_source *s, learn_judge_room *room,
                        int (*told)(void *context), void *context, char why[LEARN_WHY])
{
    const size_t most = DISTORT_SUBSETS * (size_t)p->patches;
    trial *trials = calloc(most, sizeof *trials);
    int64_t *numbers = calloc(most, sizeof *numbers);
    work *w = calloc(1, sizeof *w);
    size_t n = 0;
    int status = -1;

    if (!trials || !numbers || !w) {
        learn_no_memory(why);
        goto fail;
    }
    *w = (work){.plan = p, .source = s, .room = room, .told = told, .context = context};
    w->trials = trials;
    status = draw_all(p, s, trials, &n, why);
    for (size_t i = 0; i < n; i++)
        numbers[i] = trials[i].frame;
    if (!status)
        status = distort_clip_read(s->path, numbers, n, visit, w, why);
    if (!status)
        status = write_rows(p, s, trials, n, why);
fail:
    free(w);
    free(numbers);
    free(trials);
    return status;
}
