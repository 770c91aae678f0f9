/*
 * answer.c - asks liblpips about a pair, and keeps number, maps and provenance together
 */
#include "answer.h"

#include <string.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

lpips_weights *lpips_answer_weights(int net, const char *folder, char *why, size_t size)
{
    lpips_weights *w = NULL;
    char detail[256] = "";
    char *path, *name;

    if (lpips_weights_find(&w, (lpips_net)net, NULL, detail, sizeof detail) == LPIPS_OK)
        return w;
    name = g_strdup_printf("lpips-%s-v0.1.safetensors", lpips_net_name((lpips_net)net));
    path = folder ? g_build_filename(folder, name, NULL) : NULL;
    if (path && g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (lpips_weights_load(&w, path, detail, sizeof detail) != LPIPS_OK)
            g_snprintf(why, size, "%s", detail);
        else if ((int)lpips_weights_net(w) != net)
            g_snprintf(why, size, _("%s has weights of another net"), path);
    } else {
        g_snprintf(why, size,
                   _("%s is missing: put it into the plug-in's folder, %s, or into a folder "
                     "that LPIPS_WEIGHTS_PATH names"),
                   name, folder ? folder : "?");
    }
    if (w && (int)lpips_weights_net(w) != net) {
        lpips_weights_unref(w);
        w = NULL;
    }
    g_free(path);
    g_free(name);
    return w;
}

static lpips_options options_for(const LpipsQuestion *question)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    o.flags = LPIPS_WANT_MAP;
    o.threads = (int)g_get_num_processors();
    o.progress = question->progress;
    o.progress_opaque = question->progress_opaque;
    return o;
}

guint64 lpips_answer_memory(const LpipsPair *pair, lpips_weights *weights, gboolean taps)
{
    const LpipsQuestion nothing = {0};
    const lpips_options o = options_for(&nothing);
    const int maps = 1 + (taps ? lpips_net_layers(lpips_weights_net(weights)) : 0);
    const int samples = pair->a.format == LPIPS_U8 ? 1 : pair->a.format == LPIPS_U16 ? 2 : 4;
    const guint64 pixels = (guint64)pair->context.width * pair->context.height;

    return pixels * (6 * samples + sizeof(float) * maps) +
           lpips_context_memory(weights, pair->context.width, pair->context.height, &o);
}

/* Better said before than ended by the system in the middle. */
static gboolean fits(const LpipsPair *pair, const LpipsQuestion *q, char *why, size_t size)
{
    const guint64 there = (guint64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    const guint64 needed = lpips_answer_memory(pair, q->weights, q->taps);

    if (needed <= there)
        return TRUE;
    g_snprintf(why, size,
               _("%d x %d pixels need %.1f GB of memory, of %.1f GB there are; "
                 "select a part"),
               pair->context.width, pair->context.height, needed / 1e9, there / 1e9);
    return FALSE;
}

static gboolean prepare(LpipsAnswer *answer, const LpipsPair *pair,
                        const LpipsQuestion *question, char *why, size_t size)
{
    const lpips_net net = lpips_weights_net(question->weights);
    const int least = lpips_net_min_size(net);
    const GeglRectangle *c = &answer->context;

    memset(answer, 0, sizeof *answer);
    answer->box = question->part ? *question->part : pair->box;
    answer->context =
        question->part ? lpips_context_of(question->part, &pair->context) : pair->context;
    answer->layers = lpips_net_layers(net);
    answer->selection = pair->weight && !question->part;
    g_strlcpy(answer->net, lpips_net_name(net), sizeof answer->net);
    g_strlcpy(answer->version, lpips_weights_version(question->weights),
              sizeof answer->version);
    if (c->width < least || c->height < least) {
        g_snprintf(why, size,
                   _("the layers overlap in %d x %d pixels; %s needs at least %d x %d"),
                   c->width, c->height, answer->net, least, least);
        return FALSE;
    }
    if (!fits(pair, question, why, size))
        return FALSE;
    answer->map = g_try_new(float, (size_t)c->width * c->height);
    for (int i = 0; i < answer->layers && question->taps; i++)
        if (!(answer->taps[i] = g_try_new(float, (size_t)c->width * c->height)))
            answer->map = (g_free(answer->map), NULL);
    if (!answer->map)
        g_snprintf(why, size, _("there is not enough memory for the maps"));
    return answer->map != NULL;
}

/* The pixels of a part of the context. */
static lpips_image view(const lpips_image *whole, const GeglRectangle *context,
                        const GeglRectangle *part)
{
    lpips_image v = *whole;
    const ptrdiff_t skip = (part->y - context->y) * whole->row_stride[0] +
                           (part->x - context->x) * whole->pixel_stride;

    for (int i = 0; i < 3; i++)
        v.plane[i] = (const char *)whole->plane[i] + skip;
    v.width = part->width;
    v.height = part->height;
    return v;
}

static const float *row_of(const LpipsAnswer *answer, const float *map, int y)
{
    return map + (size_t)(answer->box.y - answer->context.y + y) * answer->context.width +
           (answer->box.x - answer->context.x);
}

static double weighted_mean(const LpipsAnswer *answer, const float *map, const float *weight)
{
    double sum = 0, weights = 0;

    for (int y = 0; y < answer->box.height; y++) {
        const float *row = row_of(answer, map, y);
        const float *w = weight + (size_t)y * answer->box.width;

        for (int x = 0; x < answer->box.width; x++) {
            sum += (double)w[x] * row[x];
            weights += w[x];
        }
    }
    return sum / weights;
}

static int compare(LpipsAnswer *answer, const LpipsPair *pair, lpips_context *c)
{
    const lpips_image a = view(&pair->a, &pair->context, &answer->context);
    const lpips_image b = view(&pair->b, &pair->context, &answer->context);
    lpips_map map = {.total = answer->map,
                     .stride = (ptrdiff_t)(answer->context.width * sizeof(float))};
    lpips_result r;
    int status;

    memcpy(map.layer, answer->taps, sizeof map.layer);
    status = lpips_compare_map(c, &a, &b, &r, &map);
    if (status != LPIPS_OK)
        return status;
    answer->distance = r.distance;
    memcpy(answer->layer, r.layer, sizeof answer->layer);
    if (answer->selection)
        answer->distance = weighted_mean(answer, answer->map, pair->weight);
    for (int i = 0; i < answer->layers && answer->selection; i++)
        answer->layer[i] =
            answer->taps[i] ? weighted_mean(answer, answer->taps[i], pair->weight) : 0;
    return LPIPS_OK;
}

gboolean lpips_answer_compute(LpipsAnswer *answer, const LpipsPair *pair,
                              const LpipsQuestion *question, char *why, size_t size)
{
    const lpips_options options = options_for(question);
    lpips_context *c = NULL;
    int status = LPIPS_OK;

    why[0] = '\0';
    if (!prepare(answer, pair, question, why, size))
        goto fail;
    status = lpips_context_create(&c, question->weights, answer->context.width,
                                  answer->context.height, &options);
    if (status == LPIPS_OK) {
        lpips_describe(c, answer->describe, sizeof answer->describe);
        status = compare(answer, pair, c);
        lpips_context_free(c);
    }
    if (status == LPIPS_OK)
        return TRUE;
    if (status != LPIPS_ERR_ABORTED)
        g_strlcpy(why, lpips_strerror(status), size);
fail:
    lpips_answer_clear(answer);
    return FALSE;
}

void lpips_answer_clear(LpipsAnswer *answer)
{
    g_free(answer->map);
    for (int i = 0; i < LPIPS_MAX_LAYERS; i++)
        g_free(answer->taps[i]);
    memset(answer, 0, sizeof *answer);
}

/* A number for people and files: with a point, whatever the locale. */
static const char *number(char text[G_ASCII_DTOSTR_BUF_SIZE], const char *format, double d)
{
    return g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, format, d);
}

char *lpips_answer_name(const LpipsAnswer *answer)
{
    char d[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup_printf("LPIPS %s (%s v%s%s)", number(d, "%.6f", answer->distance),
                           answer->net, answer->version,
                           answer->selection ? _(", selection") : "");
}

char *lpips_answer_tap_name(const LpipsAnswer *answer, int tap)
{
    char d[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup_printf(_("tap %d: %s (%s v%s)"), tap + 1,
                           number(d, "%.6f", answer->layer[tap]), answer->net,
                           answer->version);
}

char *lpips_answer_parasite(const LpipsAnswer *answer, const LpipsSettings *settings, int tap)
{
    char d[G_ASCII_DTOSTR_BUF_SIZE], scale[G_ASCII_DTOSTR_BUF_SIZE];
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "distance=%s\nnet=%s\nversion=%s\nlibrary=%s\n",
                           number(d, "%.9f", answer->distance), answer->net, answer->version,
                           answer->describe);
    g_string_append_printf(text, "box=%d,%d,%d,%d\nselection=%s\nfull-scale=%s\ncolors=%s\n",
                           answer->box.x, answer->box.y, answer->box.width,
                           answer->box.height, answer->selection ? "yes" : "no",
                           number(scale, "%.9g", settings->full_scale),
                           lpips_choices_colors[settings->colors].nick);
    for (int i = 0; i < answer->layers && !answer->selection; i++)
        g_string_append_printf(text, "layer.%d=%s\n", i, number(d, "%.9f", answer->layer[i]));
    if (tap >= 0)
        g_string_append_printf(text, "tap=%d\n", tap);
    return g_string_free(text, FALSE);
}

/* ---- painting ------------------------------------------------------------ */

void lpips_paint_map(GeglBuffer *to, const LpipsAnswer *answer, const float *map,
                     const float *weight, const LpipsSettings *settings)
{
    const int width = answer->box.width;
    guint8 *rgb = g_new(guint8, (size_t)width * 3);
    guint8 *rgba = g_new(guint8, (size_t)width * 4);

    for (int y = 0; y < answer->box.height; y++) {
        lpips_colorize(rgb, row_of(answer, map, y), (size_t)width,
                       (lpips_colormap)settings->colors, (float)settings->full_scale,
                       lpips_over_color(settings));
        for (int x = 0; x < width; x++) {
            const float w = weight ? CLAMP(weight[(size_t)y * width + x], 0, 1) : 1;

            memcpy(rgba + 4 * x, rgb + 3 * x, 3);
            rgba[4 * x + 3] = (guint8)(255 * w + 0.5F);
        }
        gegl_buffer_set(to, GEGL_RECTANGLE(0, y, width, 1), 0, babl_format("R'G'B'A u8"),
                        rgba, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(rgb);
    g_free(rgba);
}

void lpips_paint_raw(GeglBuffer *to, const LpipsAnswer *answer)
{
    gegl_buffer_set(to, GEGL_RECTANGLE(0, 0, answer->box.width, answer->box.height), 0,
                    babl_format("Y' float"), row_of(answer, answer->map, 0),
                    (int)(answer->context.width * sizeof(float)));
}

/* 5 x 7 dots each of 0 to 9 and the point, a row in the low five bits of a byte. */
static const guint8 glyphs[11][7] = {
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},  {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2}, {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},   {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {0, 0, 0, 0, 0, 12, 12},
};

static void put_text(guint8 *rgba, int x0, int y0, const char *text)
{
    for (; *text; text++, x0 += 6) {
        const guint8 *glyph = glyphs[g_ascii_isdigit(*text) ? *text - '0' : 10];

        for (int y = 0; y < 7; y++)
            for (int x = 0; x < 5; x++)
                if (glyph[y] >> (4 - x) & 1)
                    memset(rgba + 4 * ((size_t)(y0 + y) * LPIPS_BAR_WIDTH + x0 + x), 0, 3);
    }
}

void lpips_paint_bar(GeglBuffer *to, const LpipsSettings *settings)
{
    enum { EDGE = 4, OVER = 16, COLORS = LPIPS_BAR_WIDTH - 2 * EDGE - OVER, HIGH = 14 };
    guint8 *rgba = g_malloc((size_t)LPIPS_BAR_WIDTH * LPIPS_BAR_HEIGHT * 4);
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    float d[COLORS + OVER];
    guint8 rgb[3 * (COLORS + OVER)];

    for (int x = 0; x < COLORS + OVER; x++)
        d[x] = x < COLORS ? (float)(x / (COLORS - 1.0)) : 2;
    lpips_colorize(rgb, d, COLORS + OVER, (lpips_colormap)settings->colors, 1,
                   lpips_over_color(settings));
    memset(rgba, 255, (size_t)LPIPS_BAR_WIDTH * LPIPS_BAR_HEIGHT * 4);
    for (int y = EDGE; y < EDGE + HIGH; y++)
        for (int x = 0; x < COLORS + OVER; x++)
            memcpy(rgba + 4 * ((size_t)y * LPIPS_BAR_WIDTH + EDGE + x), rgb + 3 * x, 3);
    number(text, "%.4f", settings->full_scale);
    while (g_str_has_suffix(text, "0"))
        text[strlen(text) - 1] = '\0';
    if (g_str_has_suffix(text, "."))
        text[strlen(text) - 1] = '\0';
    put_text(rgba, EDGE, EDGE + HIGH + 4, "0");
    put_text(rgba, EDGE + COLORS - 6 * (int)strlen(text), EDGE + HIGH + 4, text);
    gegl_buffer_set(to, GEGL_RECTANGLE(0, 0, LPIPS_BAR_WIDTH, LPIPS_BAR_HEIGHT), 0,
                    babl_format("R'G'B'A u8"), rgba, GEGL_AUTO_ROWSTRIDE);
    g_free(rgba);
}
