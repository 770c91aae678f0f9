/*
 * judge.c - see judge.h.
 */
#include "judge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pairs that a context takes at once: enough for the nets to run at full speed on 64x64, and
 * less where pictures are larger, so that memory stays the same. */
enum { PAIRS_MOST = 32, PIXELS_AT_ONCE = PAIRS_MOST * 64 * 64 };

/* ---- names -------------------------------------------------------------------------- */

/* "alex" and "0.1" of "alex:0.1", the latter NULL where there is none. */
static int net_of(const char *text, const char **rest, const char *name, char why[LEARN_WHY])
{
    const char *colon = strchr(text, ':');
    char net[16];
    int found;

    snprintf(net, sizeof net, "%.*s", (int)(colon ? colon - text : (long)strlen(text)), text);
    found = lpips_net_from_name(net);
    *rest = colon ? colon + 1 : NULL;
    return found >= 0 ? found
                      : learn_fail(why, "%s: there is no net \"%s\", but alex, vgg, squeeze",
                                   name, net);
}

static int open_lpips(learn_judge *j, const char *name, char why[LEARN_WHY])
{
    const char *version;
    const int net = net_of(name + strlen("lpips:"), &version, name, why);
    bool lin;

    if (net < 0)
        return -1;
    version = version ? version : "0.1";
    lin = strcmp(version, "none") != 0;
    if (lin && strcmp(version, "0.1") && strcmp(version, "0.0"))
        return learn_fail(why, "%s: there is no version \"%s\", but 0.1, 0.0 and none", name,
                          version);
    if (lpips_weights_find(&j->weights, (lpips_net)net, lin ? version : "0.1", why,
                           LEARN_WHY) < 0)
        return -1;
    j->flags = lin ? 0 : LPIPS_NO_LIN;
    if (asprintf(&j->name, "lpips:%s:%s", lpips_net_name((lpips_net)net), version) < 0 ||
        asprintf(&j->title, "LPIPS %s %s", lpips_net_name((lpips_net)net),
                 lin ? version : "without lin") < 0)
        return learn_no_memory(why);
    return 0;
}

static int open_random(learn_judge *j, const char *name, char why[LEARN_WHY])
{
    const char *text;
    const int net = net_of(name + strlen("random:"), &text, name, why);
    unsigned long long seed = 0;
    char *end;

    if (net < 0)
        return -1;
    errno = 0;
    if (text &&
        (*text < '0' || *text > '9' || (seed = strtoull(text, &end, 10), errno || *end)))
        return learn_fail(why, "%s: \"%s\" is no seed, a whole number from 0", name, text);
    if (learn_random_weights(&j->weights, (lpips_net)net, seed, why))
        return -1;
    if (asprintf(&j->name, "random:%s:%llu", lpips_net_name((lpips_net)net), seed) < 0 ||
        asprintf(&j->title, "random %s, seed %llu", lpips_net_name((lpips_net)net), seed) < 0)
        return learn_no_memory(why);
    return 0;
}

static int open_file(learn_judge *j, const char *name, char why[LEARN_WHY])
{
    if (lpips_weights_load(&j->weights, name, why, LEARN_WHY) < 0)
        return -1;
    j->name = strdup(name);
    if (!j->name || asprintf(&j->title, "%s (%s)", name,
                             lpips_net_name(lpips_weights_net(j->weights))) < 0)
        return learn_no_memory(why);
    return 0;
}

static int open_metric(learn_judge *j, const char *name, char why[LEARN_WHY])
{
    j->metric = learn_metric_find(name);
    if (!j->metric)
        return learn_fail(why, "there is no judge \"%s\": wanted is " LEARN_JUDGE_NAMES,
                          name);
    j->smallest = j->metric->smallest;
    j->name = strdup(name);
    j->title = strdup(j->metric->title);
    return j->name && j->title ? 0 : learn_no_memory(why);
}

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* A net's context says which kernels there are; the smallest picture makes the least of it.
 */
static int identify(learn_judge *j, char why[LEARN_WHY])
{
    const unsigned v = lpips_version();
    lpips_context *c;

    if (j->metric)
        return asprintf(&j->identity, "%s of lpips-learn %u.%u.%u", j->name, v >> 16,
                        v >> 8 & 255, v & 255) < 0
                   ? learn_no_memory(why)
                   : 0;
    j->smallest = lpips_net_min_size(lpips_weights_net(j->weights));
    if (lpips_context_create(&c, j->weights, j->smallest, j->smallest, NULL) < 0)
        return learn_no_memory(why);
    if (asprintf(&j->identity, "lpips %u.%u.%u %s v%s weights %s%s kernels %s", v >> 16,
                 v >> 8 & 255, v & 255, lpips_net_name(lpips_weights_net(j->weights)),
                 lpips_weights_version(j->weights), lpips_weights_hash(j->weights),
                 j->flags & LPIPS_NO_LIN ? " no-lin" : "", lpips_context_cpu(c)) < 0)
        j->identity = NULL;
    lpips_context_free(c);
    return j->identity ? 0 : learn_no_memory(why);
}

int learn_judge_open(learn_judge **out, const char *name, char why[LEARN_WHY])
{
    learn_judge *j = calloc(1, sizeof *j);
    int status;

    *out = NULL;
    if (!j)
        return learn_no_memory(why);
    if (begins(name, "lpips:"))
        status = open_lpips(j, name, why);
    else if (begins(name, "random:"))
        status = open_random(j, name, why);
    else if (strchr(name, '/') || strchr(name, '.'))
        status = open_file(j, name, why);
    else
        status = open_metric(j, name, why);
    if (!status)
        status = identify(j, why);
    if (status)
        learn_judge_free(j);
    else
        *out = j;
    return status;
}

void learn_judge_free(learn_judge *j)
{
    if (!j)
        return;
    free(j->name);
    free(j->title);
    free(j->identity);
    lpips_weights_unref(j->weights);
    free(j);
}

/* ---- working ------------------------------------------------------------------------- */

struct learn_judge_room {
    learn_metric_room *metrics;
    lpips_context *context; /* of the judge, size and number of pairs below */
    const learn_judge *judge;
    int width, height, pairs;
};

learn_judge_room *learn_judge_room_make(void)
{
    learn_judge_room *r = calloc(1, sizeof *r);

    if (r && !(r->metrics = learn_metric_room_make())) {
        free(r);
        r = NULL;
    }
    return r;
}

void learn_judge_room_free(learn_judge_room *r)
{
    if (!r)
        return;
    learn_metric_room_free(r->metrics);
    lpips_context_free(r->context);
    free(r);
}

static int set_context(learn_judge_room *r, const learn_judge *j, int width, int height,
                       char why[LEARN_WHY])
{
    lpips_options options = LPIPS_OPTIONS_DEFAULT;
    const long long fit = PIXELS_AT_ONCE / ((long long)width * height);
    int status;

    if (r->judge == j && r->width == width && r->height == height)
        return 0;
    lpips_context_free(r->context);
    r->judge = NULL;
    r->pairs = fit < 1 ? 1 : fit > PAIRS_MOST ? PAIRS_MOST : (int)fit;
    options.flags = j->flags;
    options.pictures = 2 * r->pairs;
    status = lpips_context_create(&r->context, j->weights, width, height, &options);
    if (status < 0)
        return learn_fail(why, "%s: pictures of %dx%d: %s", j->name, width, height,
                          lpips_strerror(status));
    r->judge = j;
    r->width = width;
    r->height = height;
    return 0;
}

static int by_net(const learn_judge *j, learn_judge_room *r, const learn_picture *a,
                  const learn_picture *b, int n, double *out, char why[LEARN_WHY])
{
    lpips_image left[PAIRS_MOST], right[PAIRS_MOST];
    lpips_result results[PAIRS_MOST];

    if (set_context(r, j, a->width, a->height, why))
        return -1;
    for (int from = 0; from < n; from += PAIRS_MOST) {
        const int some = n - from < PAIRS_MOST ? n - from : PAIRS_MOST;
        int status = 0;

        for (int i = 0; i < some && !status; i++) {
            const learn_picture *x = &a[from + i], *y = &b[from + i];

            status = lpips_image_packed(&left[i], LPIPS_U8, x->rgb, x->width, x->height, 3,
                                        x->stride) ||
                     lpips_image_packed(&right[i], LPIPS_U8, y->rgb, y->width, y->height, 3,
                                        y->stride);
        }
        if (status || lpips_compare_pairs(r->context, left, right, some, results, NULL) < 0)
            return learn_fail(why, "%s: pictures of %dx%d cannot be compared with %dx%d",
                              j->name, a->width, a->height, b->width, b->height);
        for (int i = 0; i < some; i++)
            out[from + i] = results[i].distance;
    }
    return 0;
}

int learn_judge_distances(const learn_judge *j, learn_judge_room *r, const learn_picture *a,
                          const learn_picture *b, int n, double *out, char why[LEARN_WHY])
{
    int status = 0;

    if (!n)
        return 0;
    if (!j->metric)
        return by_net(j, r, a, b, n, out, why);
    for (int i = 0; i < n && !status; i++)
        status = learn_metric_distance(j->metric, r->metrics, &a[i], &b[i], &out[i], why);
    return status;
}
