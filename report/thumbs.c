/*
 * thumbs.c - the worst frames for the page: output, reference, and where they differ.
 *
 * The frames are read and compared once more.  What cannot be shown - files gone, or changed
 * since they were scored, or other weights - is told in the notes and fails nothing: the
 * numbers stand without the pictures.
 */
#include "output.h"

#include "frames.h"
#include "media.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/base64.h>
#include <libavutil/mem.h>

enum { FRAMES_OF_PAGE = 16, FRAMES_OF_METHOD = 3, WIDTH = 320, HEIGHT = 240 };
enum { PNG_BYTES_OF_PAGE = 6 << 20, BAR_WIDTH = 256, BAR_HEIGHT = 8 };

/* The filter's own, so that its maps and these look alike. */
static const float full_scale = 0.5f;
#define COLORS LPIPS_COLORS_VIRIDIS

/* A second reading may differ in the last digits on another CPU, never so much. */
static const double same_score = 1e-5;

typedef struct pictures {
    const report_summary *s;
    sqlite3 *store;
    json_t *list;
    media_score *score; /* NULL: no maps */
    size_t bytes, picked, failed, unlisted;
    char first_failure[REPORT_WHY];
} pictures;

/* ---- which -------------------------------------------------------------------- */

static bool worse(const report_summary *s, size_t a, size_t b)
{
    double x = s->items[a].pool[s->primary].worst, y = s->items[b].pool[s->primary].worst;

    return s->metrics[s->primary].lower ? x > y : x < y;
}

/* The worst of a method, each of another clip; kept in order, the worst first. */
static size_t worst_of(const report_summary *s, size_t method, size_t *pick, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_items; i++) {
        const report_result *r = &s->items[i];
        size_t at = 0;

        if (r->method != method || r->state != REPORT_RESULT_DONE ||
            !r->pool[s->primary].frames)
            continue;
        while (at < n && s->items[pick[at]].clip != r->clip)
            at++;
        if (at < n && !worse(s, i, pick[at]))
            continue;
        if (at == n && n == most && !worse(s, i, pick[--at]))
            continue;
        n += at == n;
        pick[at] = i;
        for (; at > 0 && worse(s, pick[at], pick[at - 1]); at--) {
            size_t other = pick[at];

            pick[at] = pick[at - 1];
            pick[at - 1] = other;
        }
    }
    return n;
}

/* ---- one frame ------------------------------------------------------------------ */

/* Packed RGB, made small, as the text of a PNG in the page; NULL and why. */
static json_t *png(pictures *p, const uint8_t *rgb, int width, int height, int *w, int *h,
                   char why[REPORT_WHY])
{
    static const char head[] = "data:image/png;base64,";
    uint8_t *small = media_thumbnail(rgb, width, height, WIDTH, HEIGHT, w, h), *data = NULL;
    size_t size = 0, room;
    char *text = NULL;
    json_t *made = NULL;

    if (!small || media_png_encode(&data, &size, small, *w, *h, why) < 0)
        goto fail;
    room = sizeof head + AV_BASE64_SIZE(size);
    text = malloc(room);
    if (text && size < INT32_MAX / 2) {
        memcpy(text, head, sizeof head);
        av_base64_encode(text + sizeof head - 1, (int)(room - sizeof head + 1), data,
                         (int)size);
        made = json_string(text);
        p->bytes += size;
    }
fail:
    free(text);
    free(data);
    free(small);
    return made;
}

static json_t *picture(pictures *p, const AVFrame *frame, int *w, int *h,
                       char why[REPORT_WHY])
{
    uint8_t *rgb = media_rgb(frame, why);
    json_t *made = rgb ? png(p, rgb, frame->width, frame->height, w, h, why) : NULL;

    free(rgb);
    return made;
}

/* Where they differ.  NULL: and why. */
static json_t *map_of(pictures *p, const AVFrame *reference, const AVFrame *output,
                      double expected, char why[REPORT_WHY])
{
    size_t n = (size_t)output->width * (size_t)output->height;
    float *distances = malloc(n * sizeof *distances);
    uint8_t *rgb = malloc(3 * n);
    lpips_map map = {.total = distances, .stride = output->width * (ptrdiff_t)sizeof(float)};
    lpips_result result;
    json_t *made = NULL;
    int w, h;

    if (!distances || !rgb) {
        snprintf(why, REPORT_WHY, "memory is short for a picture");
        goto fail;
    }
    if (media_score_many(p->score, reference, &output, 1, &result, &map, why) < 0)
        goto fail;
    if (fabs(result.distance - expected) > same_score) {
        snprintf(why, REPORT_WHY,
                 "it is %.9f now and was %.9f: the files changed after they were scored",
                 result.distance, expected);
        goto fail;
    }
    lpips_colorize(rgb, distances, n, COLORS, full_scale, lpips_colormap_over(COLORS));
    made = png(p, rgb, output->width, output->height, &w, &h, why);
fail:
    free(distances);
    free(rgb);
    return made;
}

static int add_frame(pictures *p, size_t i, const AVFrame *reference, const AVFrame *output,
                     char why[REPORT_WHY])
{
    const report_pool *pool = &p->s->items[i].pool[p->s->primary];
    json_t *map = NULL, *of_reference, *of_output;
    int w = 0, h = 0;

    if (p->score) {
        map = map_of(p, reference, output, pool->worst, why);
        if (!map)
            return -1;
    }
    of_reference = picture(p, reference, &w, &h, why);
    of_output = of_reference ? picture(p, output, &w, &h, why) : NULL;
    if (!of_output) {
        json_decref(of_reference);
        json_decref(map);
        return -1;
    }
    return json_array_append_new(
        p->list,
        json_pack("{s:I, s:I, s:I, s:f, s:i, s:i, s:o, s:o, s:o}", "item", (json_int_t)i,
                  "metric", (json_int_t)p->s->primary, "frame", (json_int_t)pool->worst_frame,
                  "value", pool->worst, "width", w, "height", h, "reference", of_reference,
                  "output", of_output, "map", map ? map : json_null()));
}

static const char *column(sqlite3_stmt *q, int i)
{
    const char *text = (const char *)sqlite3_column_text(q, i);

    return text ? text : "";
}

static int find_frame(pictures *p, size_t i, sqlite3_stmt *q, char why[REPORT_WHY])
{
    int64_t wanted = p->s->items[i].pool[p->s->primary].worst_frame;
    const AVFrame *reference = NULL, *output = NULL;
    report_frames *f = NULL;
    int status;

    if (report_frames_open(&f, column(q, 0), column(q, 1), column(q, 2), column(q, 3),
                           sqlite3_column_int(q, 4), 0, why) < 0)
        return -1;
    while ((status = report_frames_next(f, &reference, &output, why)) > 0 && wanted-- > 0)
        ;
    if (status > 0)
        status = add_frame(p, i, reference, output, why);
    else if (!status) {
        snprintf(why, REPORT_WHY, "the output ends before its worst frame");
        status = -1;
    }
    report_frames_close(f);
    return status;
}

static int add_result(pictures *p, size_t i, char why[REPORT_WHY])
{
    sqlite3_stmt *q = NULL;
    int status = -1;

    snprintf(why, REPORT_WHY, "the store does not know the item any more");
    if (sqlite3_prepare_v2(
            p->store, "SELECT reference, output, first, last, every FROM item WHERE id = ?",
            -1, &q, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(q, 1, p->s->items[i].id) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        status = find_frame(p, i, q, why);
    sqlite3_finalize(q);
    return status;
}

/* ---- the net that scored --------------------------------------------------------- */

/* Opens the weights that `about` names, and those only. */
static int open_score(pictures *p, char why[REPORT_WHY])
{
    const report_metric *m = &p->s->metrics[p->s->primary];
    media_score_options o = {.flags = LPIPS_WANT_MAP};
    char key[80], version[16] = "", hash[80] = "";
    const char *described, *at;

    if (!m->is_lpips || (o.net = lpips_net_from_name(m->name + strlen("lpips_"))) < 0) {
        snprintf(why, REPORT_WHY, "%s has no map", m->text);
        return -1;
    }
    snprintf(key, sizeof key, "lpips.%s", m->name + strlen("lpips_"));
    described = report_fact_of(p->s, key);
    at = strstr(described, " weights ");
    if (!at || sscanf(at, " weights %79[0-9a-f]", hash) != 1) {
        snprintf(why, REPORT_WHY, "the store does not say which weights scored");
        return -1;
    }
    at = strstr(described, " v");
    if (at && sscanf(at, " v%15[0-9.]", version) == 1)
        o.version = version;
    o.flags |= strstr(described, " no-lin") ? LPIPS_NO_LIN : 0;
    o.flags |= strstr(described, " range 0..1") ? LPIPS_RANGE_0_1 : 0;
    if (media_score_open(&p->score, &o, why) < 0)
        return -1;
    if (!strncmp(lpips_weights_hash(media_score_weights(p->score)), hash, strlen(hash)))
        return 0;
    media_score_close(p->score);
    p->score = NULL;
    snprintf(why, REPORT_WHY, "the weights found are not those that scored");
    return -1;
}

/* The colours of the maps from 0 to full scale, and the one beyond. */
static void add_bar(pictures *p, json_t *document)
{
    float steps[BAR_WIDTH * BAR_HEIGHT];
    uint8_t rgb[3 * BAR_WIDTH * BAR_HEIGHT];
    const uint8_t *over = lpips_colormap_over(COLORS);
    char why[REPORT_WHY];
    json_t *bar;
    int w, h;

    for (int i = 0; i < BAR_WIDTH * BAR_HEIGHT; i++)
        steps[i] = full_scale * (float)(i % BAR_WIDTH) / (BAR_WIDTH - 1);
    lpips_colorize(rgb, steps, BAR_WIDTH * BAR_HEIGHT, COLORS, full_scale, over);
    bar = png(p, rgb, BAR_WIDTH, BAR_HEIGHT, &w, &h, why);
    snprintf(why, sizeof why, "#%02x%02x%02x", over[0], over[1], over[2]);
    if (bar)
        json_object_set_new(document, "bar",
                            json_pack("{s:o, s:f, s:s}", "image", bar, "to",
                                      (double)full_scale, "over", why));
}

/* ---- all of them ------------------------------------------------------------------ */

static void say(json_t *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(json_t *document, const char *format, ...)
{
    char text[REPORT_WHY + 200], *clean;
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    /* a reason may hold the name of a file, cut in the middle of a character */
    clean = media_clean_text(text);
    json_array_append_new(json_object_get(document, "notes"),
                          json_string(clean ? clean : ""));
    free(clean);
}

static void add_all(pictures *p, size_t results)
{
    size_t most = FRAMES_OF_PAGE / (p->s->n_methods ? p->s->n_methods : 1);

    most = most > FRAMES_OF_METHOD ? FRAMES_OF_METHOD : most < 1 ? 1 : most;
    for (size_t m = 0; m < p->s->n_methods; m++) {
        size_t pick[FRAMES_OF_METHOD], n = worst_of(p->s, m, pick, most);

        for (size_t k = 0; k < n; k++) {
            char why[REPORT_WHY] = "memory is short";

            p->picked++;
            if (pick[k] >= results) {
                p->unlisted++;
                continue;
            }
            if (json_array_size(p->list) >= FRAMES_OF_PAGE || p->bytes > PNG_BYTES_OF_PAGE)
                continue;
            if (add_result(p, pick[k], why) == 0)
                continue;
            if (!p->failed++)
                snprintf(p->first_failure, sizeof p->first_failure, "%s", why);
        }
    }
}

int report_add_thumbs(json_t *document, sqlite3 *store, const report_summary *s)
{
    pictures p = {.s = s, .store = store, .list = json_array()};
    char why[REPORT_WHY] = "";
    size_t shown;

    if (!p.list)
        return -1;
    if (s->count[REPORT_RESULT_DONE] && open_score(&p, why) < 0)
        say(document, "The worst frames have no maps: %s.", why);
    add_all(&p, json_array_size(json_object_get(document, "items")));
    shown = json_array_size(p.list);
    if (p.failed)
        say(document, "%zu of %zu worst frames cannot be shown; the first: %s.", p.failed,
            p.picked, p.first_failure);
    if (p.unlisted)
        say(document, "%zu of %zu worst frames are of results that are not listed.",
            p.unlisted, p.picked);
    if (shown + p.failed + p.unlisted < p.picked)
        say(document, "%zu of %zu worst frames are shown, to keep the page small.", shown,
            p.picked);
    if (p.score && shown)
        add_bar(&p, document);
    media_score_close(p.score);
    return json_object_set_new(document, "thumbs", p.list);
}
