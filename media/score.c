/*
 * score.c - frames beside frames: colours as the filter settles them, distances by liblpips.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/cpu.h>
#include <libavutil/log.h>
#include <libavutil/macros.h>
#include <libavutil/pixdesc.h>

/* Memory that a context may take so that more pairs are worked on together. */
#define BATCH_MEMORY ((size_t)256 << 20)
#define BATCH_MAX    64

typedef struct kept {
    lpips_context *context;
    int width, height, pictures;
} kept;

/* One picture of a call: others first, then the reference or the references. */
typedef struct picture {
    media_convert convert;
    char read_as[sizeof(((LPIPSColours *)0)->read_as)];
    lpips_frame frame;
} picture;

struct media_score {
    media_score_options options;
    lpips_weights *weights;
    char described[192];
    kept kept[2]; /* the one used last comes first */
    picture *pictures;
    int room, others;
    LPIPSColours reference, *distorted; /* distorted: room of them */
    char (*names)[24];
    lpips_image *images; /* 2 room of them */
};

/* ---- life ------------------------------------------------------------------- */

static int load(media_score *s, char why[MEDIA_WHY])
{
    const media_score_options *o = &s->options;
    char detail[MEDIA_WHY - 64] = "";
    int ret;

    if (o->weights) {
        s->weights = lpips_weights_ref((lpips_weights *)o->weights);
        return 0;
    }
    ret = o->model ? lpips_weights_load(&s->weights, o->model, detail, sizeof detail)
                   : lpips_weights_find(&s->weights, (lpips_net)o->net, o->version, detail,
                                        sizeof detail);

    return ret < 0 ? media_fail(why, "%s", *detail ? detail : lpips_strerror(ret)) : 0;
}

static int create(media_score *s, kept *k, int width, int height, int pictures)
{
    lpips_options options = LPIPS_OPTIONS_DEFAULT;
    int ret;

    options.flags = s->options.flags;
    options.threads = s->options.threads;
    options.pictures = pictures;
    ret = lpips_context_create(&k->context, s->weights, width, height, &options);
    k->width = width;
    k->height = height;
    k->pictures = pictures;
    return ret;
}

int media_score_open(media_score **out, const media_score_options *options,
                     char why[MEDIA_WHY])
{
    media_score *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return media_fail(why, "out of memory");
    s->options = *options;
    if (s->options.threads < 1)
        s->options.threads = av_cpu_count();
    s->reference.name = "reference";
    if (load(s, why) < 0) {
        media_score_close(s);
        return -1;
    }
    lpips_weights_describe(s->weights, s->options.flags, s->described, sizeof s->described);
    *out = s;
    return 0;
}

void media_score_close(media_score *s)
{
    if (!s)
        return;
    for (int i = 0; i < 2; i++)
        lpips_context_free(s->kept[i].context);
    for (int i = 0; i < s->room; i++)
        media_convert_free(&s->pictures[i].convert);
    free(s->pictures);
    free(s->distorted);
    free(s->names);
    free(s->images);
    lpips_weights_unref(s->weights);
    free(s);
}

const char *media_score_describe(const media_score *s)
{
    return s->described;
}

const lpips_weights *media_score_weights(const media_score *s)
{
    return s->weights;
}

const char *media_score_read_as(const media_score *s, int other)
{
    return s->pictures[other].read_as;
}

const char *media_score_reference_read_as(const media_score *s)
{
    return s->pictures[s->others].read_as;
}

const char *media_score_pair_reference_read_as(const media_score *s, int pair)
{
    return s->pictures[s->others + pair].read_as;
}

/* ---- room ------------------------------------------------------------------- */

static void *grown(void *array, size_t old, size_t n, size_t size)
{
    char *more = realloc(array, n * size);

    if (more)
        memset(more + old * size, 0, (n - old) * size);
    return more;
}

#define GROW(field)                                                             \
    do {                                                                        \
        void *more = grown(s->field, old, (size_t)n, sizeof *s->field);         \
        if (!more)                                                              \
            return media_fail(why, "out of memory for %d pictures at once", n); \
        s->field = more;                                                        \
    } while (0)

static int make_room(media_score *s, int n, char why[MEDIA_WHY])
{
    const size_t old = (size_t)s->room;

    if (n <= s->room)
        return 0;
    GROW(images);
    GROW(names);
    GROW(distorted);
    GROW(pictures);
    s->room = n;
    for (int i = 0; i < n; i++)
        s->distorted[i].name = s->names[i];
    return 0;
}

static void name_distorted(media_score *s, int n)
{
    for (int i = 0; i < n; i++)
        if (n == 1)
            av_strlcpy(s->names[i], "distorted", sizeof s->names[i]);
        else
            snprintf(s->names[i], sizeof s->names[i], "distorted %d", i + 1);
}

/* ---- pictures --------------------------------------------------------------- */

static int check_sizes(const AVFrame *reference, const AVFrame *other, int i, int n,
                       char why[MEDIA_WHY])
{
    char which[16] = "";

    if (reference->width == other->width && reference->height == other->height)
        return 0;
    if (n > 1)
        snprintf(which, sizeof which, " %d", i + 1);
    return media_fail(why,
                      "the sizes differ: the reference is %dx%d, the distorted%s %dx%d; "
                      "scale one of them first",
                      reference->width, reference->height, which, other->width,
                      other->height);
}

/* A view of a frame for the comparison. */
static int see(picture *p, const LPIPSColours *colours, lpips_image *image,
               char why[MEDIA_WHY])
{
    av_strlcpy(p->read_as, colours->read_as, sizeof p->read_as);
    p->frame = colours->settled;
    return lpips_image_frame(image, &p->frame) < 0
               ? media_fail(why, "a picture cannot be read (%s)", p->read_as)
               : 0;
}

/* Colours of frames that are compared with one reference, the last. */
static int settle(media_score *s, LPIPSColours **colours, const AVFrame **frames, int n,
                  char why[MEDIA_WHY])
{
    if (ff_lpips_colours_settle(&media_log, colours, frames, n, s->options.tags) >= 0)
        return 0;
    return media_fail(why, "the colours cannot be read as RGB (%s, %s)",
                      av_color_space_name(frames[0]->colorspace),
                      av_color_space_name(frames[n - 1]->colorspace));
}

/* ---- contexts --------------------------------------------------------------- */

static int new_context(media_score *s, int width, int height, int pictures,
                       char why[MEDIA_WHY])
{
    const lpips_net net = lpips_weights_net(s->weights);
    const int least = lpips_net_min_size(net);
    int ret;

    if (width < least || height < least)
        return media_fail(why, "%dx%d is too small for net %s, which needs %dx%d at least",
                          width, height, lpips_net_name(net), least, least);
    ret = create(s, &s->kept[0], width, height, pictures);
    if (ret < 0) {
        s->kept[0] = (kept){0};
        return media_fail(why, "%dx%d cannot be compared: %s", width, height,
                          lpips_strerror(ret));
    }
    return 0;
}

static bool fits(const kept *k, int width, int height)
{
    return k->context && k->width == width && k->height == height;
}

/* s->kept[0] becomes one for this size, and for at least as many pictures. */
static int find_context(media_score *s, int width, int height, int pictures,
                        char why[MEDIA_WHY])
{
    if (!fits(&s->kept[0], width, height)) {
        const kept last = s->kept[1];

        s->kept[1] = s->kept[0];
        s->kept[0] = last;
    }
    if (fits(&s->kept[0], width, height) && s->kept[0].pictures >= pictures)
        return 0;
    lpips_context_free(s->kept[0].context);
    s->kept[0].context = NULL;
    return new_context(s, width, height, pictures, why);
}

static int together(const media_score *s, int width, int height, int n)
{
    lpips_options options = LPIPS_OPTIONS_DEFAULT;

    options.flags = s->options.flags;
    options.threads = s->options.threads;
    for (n = FFMIN(n, BATCH_MAX); n > 1; n /= 2) {
        options.pictures = 2 * n;
        if (lpips_context_memory(s->weights, width, height, &options) <= BATCH_MEMORY)
            break;
    }
    return n;
}

/* ---- comparing -------------------------------------------------------------- */

static int conclude(int status, const AVFrame *frame, char why[MEDIA_WHY])
{
    return status >= 0 ? 0
                       : media_fail(why, "pictures of %dx%d cannot be compared: %s",
                                    frame->width, frame->height, lpips_strerror(status));
}

static int many(media_score *s, const AVFrame *reference, const AVFrame *const *others, int n,
                const AVFrame **frames, LPIPSColours **colours, char why[MEDIA_WHY])
{
    int ret = 0;

    for (int i = 0; i <= n && ret >= 0; i++) {
        const AVFrame *frame = i < n ? others[i] : reference;

        ret = check_sizes(reference, frame, i, n, why);
        if (ret >= 0)
            ret = media_convert_frame(&s->pictures[i].convert, frame, &frames[i], why);
        colours[i] = i < n ? &s->distorted[i] : &s->reference;
    }
    if (ret >= 0)
        ret = settle(s, colours, frames, n + 1, why);
    for (int i = 0; i <= n && ret >= 0; i++)
        ret = see(&s->pictures[i], colours[i], &s->images[i], why);
    return ret;
}

int media_score_many(media_score *s, const AVFrame *reference, const AVFrame *const *others,
                     int n, lpips_result *results, const lpips_map *maps, char why[MEDIA_WHY])
{
    const AVFrame **frames = calloc((size_t)n + 1, sizeof *frames);
    LPIPSColours **colours = calloc((size_t)n + 1, sizeof *colours);
    int ret = frames && colours ? make_room(s, n + 1, why) : media_fail(why, "out of memory");

    s->others = n;
    if (ret >= 0) {
        name_distorted(s, n);
        ret = many(s, reference, others, n, frames, colours, why);
    }
    if (ret >= 0)
        ret = find_context(s, reference->width, reference->height, n + 1, why);
    if (ret >= 0)
        ret = conclude(lpips_compare_many(s->kept[0].context, &s->images[n], s->images, n,
                                          results, maps),
                       reference, why);
    free(colours);
    free(frames);
    return ret;
}

static int pair(media_score *s, int i, int n, const AVFrame *reference, const AVFrame *other,
                char why[MEDIA_WHY])
{
    LPIPSColours *colours[2] = {&s->distorted[0], &s->reference};
    picture *p[2] = {&s->pictures[i], &s->pictures[n + i]};
    const AVFrame *frames[2];

    if (check_sizes(reference, other, i, n, why) < 0 ||
        media_convert_frame(&p[0]->convert, other, &frames[0], why) < 0 ||
        media_convert_frame(&p[1]->convert, reference, &frames[1], why) < 0 ||
        settle(s, colours, frames, 2, why) < 0 ||
        see(p[0], colours[0], &s->images[i], why) < 0 ||
        see(p[1], colours[1], &s->images[n + i], why) < 0)
        return -1;
    return 0;
}

int media_score_pairs(media_score *s, const AVFrame *const *references,
                      const AVFrame *const *others, int n, lpips_result *results,
                      char why[MEDIA_WHY])
{
    const int width = references[0]->width, height = references[0]->height;
    int ret = make_room(s, 2 * n, why);

    s->others = n;
    if (ret >= 0)
        name_distorted(s, 1);
    for (int i = 0; i < n && ret >= 0; i++)
        ret = references[i]->width == width && references[i]->height == height
                  ? pair(s, i, n, references[i], others[i], why)
                  : media_fail(why, "pairs of several sizes (%dx%d, %dx%d) in one call",
                               width, height, references[i]->width, references[i]->height);
    if (ret >= 0)
        ret = find_context(s, width, height, 2 * together(s, width, height, n), why);
    if (ret >= 0)
        ret = conclude(lpips_compare_pairs(s->kept[0].context, s->images, s->images + n, n,
                                           results, NULL),
                       references[0], why);
    return ret;
}
