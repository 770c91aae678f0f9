/*
 * pair.c - reads two layers, whatever their type, precision and profile
 *
 * babl converts: asked for R'G'B' it gives sRGB-encoded samples of any format, which is what
 * LPIPS was trained on.  Alpha is not part of that; pixels that are not opaque are laid over
 * a background here, in encoded values, as the web does.
 */
#include "pair.h"

#include "settings.h"

#include <string.h>

#include <glib/gi18n-lib.h>

/* Rows read at once where a whole picture need not be held. */
#define BAND 64

/* How a layer can be read without loss, the cheapest first. */
static const struct Kind {
    const char *type, *rgb;
    lpips_format format;
    int bytes;
} kinds[] = {
    {"u8", "R'G'B' u8", LPIPS_U8, 1},
    {"u16", "R'G'B' u16", LPIPS_U16, 2},
    {NULL, "R'G'B' float", LPIPS_F32, 4},
};
enum { KIND_FLOAT = G_N_ELEMENTS(kinds) - 1 };

static int width_of(const LpipsSource *s)
{
    return gegl_buffer_get_extent(s->buffer)->width;
}

static int height_of(const LpipsSource *s)
{
    return gegl_buffer_get_extent(s->buffer)->height;
}

static GeglRectangle area_of(const LpipsSource *s)
{
    return *GEGL_RECTANGLE(s->x, s->y, width_of(s), height_of(s));
}

/* Image coordinates to those of the buffer. */
static GeglRectangle in_buffer(const LpipsSource *s, const GeglRectangle *r)
{
    const GeglRectangle *extent = gegl_buffer_get_extent(s->buffer);

    return *GEGL_RECTANGLE(r->x - s->x + extent->x, r->y - s->y + extent->y, r->width,
                           r->height);
}

static gboolean is_opaque(const LpipsSource *s, const GeglRectangle *area)
{
    const GeglRectangle all = in_buffer(s, area);
    const Babl *format = babl_format("YA float"); /* babl has none of alpha alone */
    float *row;
    gboolean opaque = TRUE;

    if (!babl_format_has_alpha(gegl_buffer_get_format(s->buffer)))
        return TRUE;
    row = g_new(float, (size_t)all.width *BAND * 2);
    for (int y = 0; y < all.height && opaque; y += BAND) {
        const int rows = MIN(BAND, all.height - y);
        const size_t n = (size_t)all.width * rows;

        gegl_buffer_get(s->buffer, GEGL_RECTANGLE(all.x, all.y + y, all.width, rows), 1.0,
                        format, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
        for (size_t i = 0; i < n && opaque; i++)
            opaque = row[2 * i + 1] >= 1;
    }
    g_free(row);
    return opaque;
}

/* Of a format that holds sRGB-encoded integers: the kind that keeps them. */
static int kind_of(const LpipsSource *s)
{
    const Babl *format = gegl_buffer_get_format(s->buffer);
    const char *type = babl_get_name(babl_format_get_type(format, 0));
    const char *model = babl_get_name(babl_format_get_model(format));

    if (babl_format_get_space(format) != babl_space("sRGB"))
        return KIND_FLOAT;
    if (babl_format_is_palette(format))
        return 0;
    if (!g_str_has_prefix(model, "R'G'B'") && !g_str_has_prefix(model, "Y'"))
        return KIND_FLOAT;
    for (int i = 0; i < KIND_FLOAT; i++)
        if (!strcmp(type, kinds[i].type))
            return i;
    return KIND_FLOAT;
}

/* c = alpha c + (1 - alpha) background, exact where alpha is 1. */
static void lay_over(float *rgb, const float *rgba, size_t n, const guint8 background[3])
{
    for (size_t i = 0; i < n; i++) {
        const float alpha = rgba[4 * i + 3];

        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = alpha * rgba[4 * i + c] + (1 - alpha) * (background[c] / 255.0F);
    }
}

static void read_over(const LpipsSource *s, const GeglRectangle *area, float *rgb,
                      const guint8 background[3])
{
    const GeglRectangle all = in_buffer(s, area);
    float *rgba = g_new(float, (size_t)all.width *BAND * 4);

    for (int y = 0; y < all.height; y += BAND) {
        const int rows = MIN(BAND, all.height - y);

        gegl_buffer_get(s->buffer, GEGL_RECTANGLE(all.x, all.y + y, all.width, rows), 1.0,
                        babl_format("R'G'B'A float"), rgba, GEGL_AUTO_ROWSTRIDE,
                        GEGL_ABYSS_CLAMP);
        lay_over(rgb + (size_t)y * all.width * 3, rgba, (size_t)rows * all.width, background);
    }
    g_free(rgba);
}

static gboolean read_pixels(LpipsPair *pair, const LpipsSource *const sources[2],
                            int background, char *why, size_t size)
{
    const GeglRectangle *area = &pair->context;
    lpips_image *const views[2] = {&pair->a, &pair->b};
    gboolean opaque[2];
    int kind = 0;

    /* Both in one way, so that the order of the two never matters. */
    for (int i = 0; i < 2; i++) {
        opaque[i] = is_opaque(sources[i], area);
        kind = MAX(kind, opaque[i] ? kind_of(sources[i]) : KIND_FLOAT);
    }
    for (int i = 0; i < 2; i++) {
        const size_t row = (size_t)area->width * 3 * kinds[kind].bytes;
        const GeglRectangle r = in_buffer(sources[i], area);

        pair->pixels[i] = g_try_malloc_n(area->height, row);
        if (!pair->pixels[i]) {
            g_snprintf(why, size, _("there is not enough memory for %d x %d pixels"),
                       area->width, area->height);
            return FALSE;
        }
        if (opaque[i])
            gegl_buffer_get(sources[i]->buffer, &r, 1.0, babl_format(kinds[kind].rgb),
                            pair->pixels[i], GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
        else
            read_over(sources[i], area, pair->pixels[i], lpips_background_color(background));
        lpips_image_packed(views[i], kinds[kind].format, pair->pixels[i], area->width,
                           area->height, 3, (ptrdiff_t)row);
    }
    return TRUE;
}

static gboolean read_weight(LpipsPair *pair, const LpipsMask *mask, char *why, size_t size)
{
    const size_t n = (size_t)pair->box.width * pair->box.height;
    float most = 0;

    if (!mask->buffer)
        return TRUE;
    pair->weight = g_new(float, n);
    gegl_buffer_get(mask->buffer, &pair->box, 1.0, babl_format("Y float"), pair->weight,
                    GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (size_t i = 0; i < n; i++)
        most = MAX(most, pair->weight[i]);
    if (most <= 0) {
        g_snprintf(why, size, _("nothing is selected where both layers lie"));
        return FALSE;
    }
    return TRUE;
}

GeglRectangle lpips_context_of(const GeglRectangle *part, const GeglRectangle *overlap)
{
    const int left = (part->x - overlap->x - LPIPS_MARGIN) & ~(LPIPS_GRID - 1);
    const int top = (part->y - overlap->y - LPIPS_MARGIN) & ~(LPIPS_GRID - 1);
    const int right = part->x - overlap->x + part->width + LPIPS_MARGIN;
    const int bottom = part->y - overlap->y + part->height + LPIPS_MARGIN;
    GeglRectangle r;

    gegl_rectangle_intersect(&r,
                             GEGL_RECTANGLE(overlap->x + left, overlap->y + top, right - left,
                                            bottom - top),
                             overlap);
    return r;
}

static gboolean place(LpipsPair *pair, const LpipsSource *a, const LpipsSource *b,
                      const LpipsMask *mask, int sizes, char *why, size_t size)
{
    const GeglRectangle area_a = area_of(a), area_b = area_of(b);

    if (!gegl_rectangle_intersect(&pair->overlap, &area_a, &area_b)) {
        g_snprintf(why, size, _("the two layers do not overlap"));
        return FALSE;
    }
    if (sizes == LPIPS_SIZES_REFUSE &&
        (area_a.width != area_b.width || area_a.height != area_b.height) &&
        !(mask->buffer && gegl_rectangle_contains(&pair->overlap, &mask->bounds))) {
        g_snprintf(
            why, size,
            _("the layers have different sizes, %d x %d and %d x %d; choose to compare "
              "where both lie, or to scale the second to the first"),
            area_a.width, area_a.height, area_b.width, area_b.height);
        return FALSE;
    }
    pair->box = pair->overlap;
    pair->context = pair->overlap;
    if (!mask->buffer)
        return TRUE;
    if (!gegl_rectangle_intersect(&pair->box, &pair->overlap, &mask->bounds)) {
        g_snprintf(why, size, _("nothing is selected where both layers lie"));
        return FALSE;
    }
    pair->context = lpips_context_of(&pair->box, &pair->overlap);
    return TRUE;
}

/* GEGL scales colours of a palette in another way than the same ones in RGB. */
static GeglBuffer *without_palette(GeglBuffer *buffer)
{
    const Babl *format = gegl_buffer_get_format(buffer);
    GeglBuffer *copy;

    if (!babl_format_is_palette(format))
        return g_object_ref(buffer);
    copy = gegl_buffer_new(gegl_buffer_get_extent(buffer),
                           babl_format_with_space(babl_format_has_alpha(format) ? "R'G'B'A u8"
                                                                                : "R'G'B' u8",
                                                  babl_format_get_space(format)));
    gegl_buffer_copy(buffer, NULL, GEGL_ABYSS_NONE, copy, NULL);
    return copy;
}

/* The second layer in the size and the place of the first. */
static LpipsSource scaled(const LpipsSource *a, const LpipsSource *b)
{
    LpipsSource s = {NULL, a->x, a->y};
    GeglBuffer *from = without_palette(b->buffer);
    GeglNode *graph = gegl_node_new();
    GeglNode *in =
        gegl_node_new_child(graph, "operation", "gegl:buffer-source", "buffer", from, NULL);
    GeglNode *scale =
        gegl_node_new_child(graph, "operation", "gegl:scale-size", "x", (gdouble)width_of(a),
                            "y", (gdouble)height_of(a), "sampler", GEGL_SAMPLER_CUBIC,
                            "abyss-policy", GEGL_ABYSS_CLAMP, NULL);
    /* In the format of the layer, so that it is read as the layer would be. */
    s.buffer = gegl_buffer_new(GEGL_RECTANGLE(0, 0, width_of(a), height_of(a)),
                               gegl_buffer_get_format(from));
    gegl_node_link(in, scale);
    gegl_node_blit_buffer(scale, s.buffer, NULL, 0, GEGL_ABYSS_CLAMP);
    g_object_unref(graph);
    g_object_unref(from);
    return s;
}

gboolean lpips_pair_read(LpipsPair *pair, const LpipsSource *a, const LpipsSource *b,
                         const LpipsMask *mask, int background, int sizes, char *why,
                         size_t size)
{
    LpipsSource second = *b;
    const LpipsSource *const sources[2] = {a, &second};
    gboolean ok;

    memset(pair, 0, sizeof *pair);
    pair->scaled = sizes == LPIPS_SIZES_SCALE &&
                   (width_of(a) != width_of(b) || height_of(a) != height_of(b));
    /* GEGL itself would go on without them, and compare with nothing. */
    if (pair->scaled && !(gegl_has_operation("gegl:buffer-source") &&
                          gegl_has_operation("gegl:scale-size"))) {
        g_snprintf(why, size, _("GEGL lacks its operation gegl:scale-size"));
        return FALSE;
    }
    if (pair->scaled)
        second = scaled(a, b);
    ok = place(pair, a, &second, mask, sizes, why, size) &&
         read_weight(pair, mask, why, size) &&
         read_pixels(pair, sources, background, why, size);
    if (pair->scaled)
        g_object_unref(second.buffer);
    if (!ok)
        lpips_pair_clear(pair);
    return ok;
}

void lpips_pair_clear(LpipsPair *pair)
{
    g_free(pair->pixels[0]);
    g_free(pair->pixels[1]);
    g_free(pair->weight);
    memset(pair, 0, sizeof *pair);
}

GeglBuffer *lpips_in_space(GeglBuffer *buffer, const Babl *space)
{
    const Babl *format = gegl_buffer_get_format(buffer);
    const GeglRectangle *extent = gegl_buffer_get_extent(buffer);
    const Babl *colors = babl_format("R'G'B'A u8");
    guint8 *row;
    GeglBuffer *copy;

    if (!space)
        return buffer;
    if (!babl_format_is_palette(format)) {
        gegl_buffer_set_format(buffer,
                               babl_format_with_space(babl_format_get_encoding(format),
                                                      space));
        return buffer;
    }
    /* A palette keeps its space; its colours, copied, can be said to be of another. */
    copy = gegl_buffer_new(extent, babl_format_with_space("R'G'B'A u8", space));
    row = g_new(guint8, (size_t)extent->width * 4);
    for (int y = extent->y; y < extent->y + extent->height; y++) {
        const GeglRectangle r = {extent->x, y, extent->width, 1};

        gegl_buffer_get(buffer, &r, 1.0, colors, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_set(copy, &r, 0, gegl_buffer_get_format(copy), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_object_unref(buffer);
    return copy;
}
