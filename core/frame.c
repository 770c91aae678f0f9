/*
 * frame.c - decoded video frames to planes of RGB floats
 *
 * The one conversion that the FFmpeg filter, the command line and the reports share.
 * Rows are worked on in tiles that fit the stack, so that nothing is allocated and
 * rows are independent of each other.
 *
 * Samples stay exact until the matrix: an integer of up to 16 bits, blended with
 * weights that are multiples of 1/8 in both directions, needs no more than the 24
 * bits of a float.  With neutral chroma R, G and B are therefore the same number.
 */
#include "frame.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TILE LPIPS_FRAME_TILE

static bool is_grey(const lpips_frame *f)
{
    return !f->plane[1];
}

static bool is_yuv(const lpips_frame *f)
{
    return !is_grey(f) && f->matrix != LPIPS_MATRIX_RGB;
}

static int clamp_int(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- what the numbers mean ------------------------------------------------- */

/* H.273 8.3, equations for Kr and Kb; false for a matrix that is not of this kind. */
static bool luma_weights(int matrix, double *kr, double *kb)
{
    static const struct {
        int matrix;
        double kr, kb;
    } table[] = {
        {LPIPS_MATRIX_BT709, 0.2126, 0.0722},   {LPIPS_MATRIX_FCC, 0.30, 0.11},
        {LPIPS_MATRIX_BT470BG, 0.299, 0.114},   {LPIPS_MATRIX_SMPTE170M, 0.299, 0.114},
        {LPIPS_MATRIX_SMPTE240M, 0.212, 0.087}, {LPIPS_MATRIX_BT2020, 0.2627, 0.0593},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].matrix == matrix) {
            *kr = table[i].kr;
            *kb = table[i].kb;
            return true;
        }
    }
    return false;
}

static bool find_conversion(lpips_conversion *c, const lpips_frame *f)
{
    const bool full = f->levels == LPIPS_LEVELS_FULL;
    const double unit = f->bits == 32 ? 1 : (double)(1 << (f->bits - 8));
    const double top = f->bits == 32 ? 1 : (double)((1 << f->bits) - 1);
    const bool ycgco = f->matrix == LPIPS_MATRIX_YCGCO;
    /* YCgCo is made of codes of R, G and B, so its chroma has their range (H.273 8.3) */
    const double chroma = full ? 1 / top : 1 / ((ycgco ? 219 : 224) * unit);
    double kr, kb;

    memset(c, 0, sizeof *c);
    c->y_offset = full ? 0 : (float)(16 * unit);
    c->y_scale = (float)(full ? 1 / top : 1 / (219 * unit));
    if (!is_yuv(f))
        return true;

    c->c_offset = (float)(128 * unit);
    if (ycgco) {
        /* Cb holds Cg and Cr holds Co: R = Y - Cg + Co, G = Y + Cg, B = Y - Cg - Co */
        c->r_u = c->b_u = c->b_v = (float)-chroma;
        c->r_v = c->g_u = (float)chroma;
        return true;
    }
    if (!luma_weights(f->matrix, &kr, &kb))
        return false;
    c->r_v = (float)(chroma * 2 * (1 - kr));
    c->b_u = (float)(chroma * 2 * (1 - kb));
    c->g_u = (float)(chroma * -2 * (1 - kb) * kb / (1 - kr - kb));
    c->g_v = (float)(chroma * -2 * (1 - kr) * kr / (1 - kr - kb));
    return true;
}

static void settle_one(lpips_frame *f, const lpips_frame *other)
{
    const bool grey = is_grey(f);

    if (!grey && !is_yuv(f)) {
        f->levels = LPIPS_LEVELS_FULL;
        return;
    }
    if (f->matrix == LPIPS_MATRIX_UNKNOWN && !grey && is_yuv(other))
        f->matrix = other->matrix;
    if (f->matrix == LPIPS_MATRIX_UNKNOWN)
        f->matrix = f->height <= 576 ? LPIPS_MATRIX_SMPTE170M : LPIPS_MATRIX_BT709;
    if (f->levels == LPIPS_LEVELS_UNKNOWN && (grey ? is_grey(other) : is_yuv(other)))
        f->levels = other->levels;
    if (f->levels == LPIPS_LEVELS_UNKNOWN)
        f->levels = grey ? LPIPS_LEVELS_FULL : LPIPS_LEVELS_LIMITED;
    if (f->chroma_location == LPIPS_CHROMA_UNKNOWN && !grey && is_yuv(other))
        f->chroma_location = other->chroma_location;
    if (f->chroma_location == LPIPS_CHROMA_UNKNOWN)
        f->chroma_location = LPIPS_CHROMA_LEFT;
}

void lpips_frame_settle(lpips_frame *a, lpips_frame *b)
{
    const lpips_frame before = *a;

    settle_one(a, b);
    settle_one(b, &before);
}

int lpips_frame_describe(const lpips_frame *f, char *text, size_t size)
{
    static const char *const matrices[] = {"rgb",   "bt709", "unknown", "unknown",
                                           "fcc",   "bt601", "bt601",   "smpte240m",
                                           "ycgco", "bt2020"};
    static const char *const locations[] = {"unknown", "left",       "center", "topleft",
                                            "top",     "bottomleft", "bottom"};
    static const char *const levels[] = {"unknown range", "limited", "full"};
    static const char *const sampling[3][3] = {{"4:4:4", "4:4:0", "4:4:0/4"},
                                               {"4:2:2", "4:2:0", "4:2:0/4"},
                                               {"4:1:1", "4:1:0/2", "4:1:0"}};
    const char *range = levels[clamp_int(f->levels, 0, 2)];
    const bool sub = f->chroma_x || f->chroma_y;

    if (is_grey(f))
        return snprintf(text, size, "gray %d bit %s", f->bits, range);
    if (!is_yuv(f))
        return snprintf(text, size, "rgb %d bit %s", f->bits, range);
    return snprintf(text, size, "yuv %s %d bit %s %s%s%s",
                    sampling[clamp_int(f->chroma_x, 0, 2)][clamp_int(f->chroma_y, 0, 2)],
                    f->bits,
                    f->matrix >= 0 && f->matrix <= 9 ? matrices[f->matrix] : "unknown", range,
                    sub ? " " : "",
                    sub ? locations[clamp_int(f->chroma_location, 0, 6)] : "");
}

/* ---- samples ---------------------------------------------------------------- */

static void load_bytes(float *out, const uint8_t *in, ptrdiff_t step, int n)
{
    if (step == 1) {
        for (int i = 0; i < n; i++)
            out[i] = in[i];
    } else {
        for (int i = 0; i < n; i++)
            out[i] = in[i * step];
    }
}

static uint16_t load_word(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static void load_words(float *out, const uint8_t *in, ptrdiff_t step, int shift, int n)
{
    if (step == 2) {
        for (int i = 0; i < n; i++)
            out[i] = (float)(load_word(in + 2 * i) >> shift);
    } else {
        for (int i = 0; i < n; i++)
            out[i] = (float)(load_word(in + i * step) >> shift);
    }
}

/* n samples of a row from column x on; columns outside repeat the border. */
static void load(float *out, const lpips_frame *f, int plane, int y, int x, int n, int width)
{
    const int left = clamp_int(-x, 0, n - 1);
    const int right = clamp_int(x + n - width, 0, n - 1);
    const int count = n - left - right;
    const ptrdiff_t step = f->step[plane];
    const uint8_t *in =
        (const uint8_t *)f->plane[plane] + y * f->row_stride[plane] + (x + left) * step;

    if (f->bits == 8) {
        load_bytes(out + left, in, step, count);
    } else if (f->bits <= 16) {
        load_words(out + left, in, step, f->shift, count);
    } else {
        for (int i = 0; i < count; i++)
            memcpy(out + left + i, in + i * step, sizeof *out);
    }
    for (int i = 0; i < left; i++)
        out[i] = out[left];
    for (int i = n - right; i < n; i++)
        out[i] = out[n - right - 1];
}

/*
 * Where luma coordinate x lies between chroma samples i and i + 1 of a direction
 * subsampled by s: sample i stands at luma coordinate i s + d / 2, where d is 0
 * (cosited), s - 1 (centred) or 2 (s - 1) (the far side).
 */
static int chroma_position(int x, int s, int d, float *weight)
{
    const int t = 2 * x - d + 2 * s; /* >= 0: d < 2 s */
    const int i = t / (2 * s);

    *weight = (float)(t - i * 2 * s) / (float)(2 * s);
    return i - 1;
}

static int offset_x(const lpips_frame *f)
{
    const bool centred = f->chroma_location == LPIPS_CHROMA_CENTER ||
                         f->chroma_location == LPIPS_CHROMA_TOP ||
                         f->chroma_location == LPIPS_CHROMA_BOTTOM;

    return centred ? (1 << f->chroma_x) - 1 : 0;
}

static int offset_y(const lpips_frame *f)
{
    const int s = 1 << f->chroma_y;

    if (f->chroma_location == LPIPS_CHROMA_TOPLEFT || f->chroma_location == LPIPS_CHROMA_TOP)
        return 0;
    if (f->chroma_location == LPIPS_CHROMA_BOTTOMLEFT ||
        f->chroma_location == LPIPS_CHROMA_BOTTOM)
        return 2 * (s - 1);
    return s - 1;
}

/* n chroma values for luma row y from column x (a multiple of the subsampling) on. */
static void load_chroma(float *out, const lpips_frame *f, int plane, int y, int x, int n)
{
    const int sx = 1 << f->chroma_x, sy = 1 << f->chroma_y;
    const int width = (f->width + sx - 1) >> f->chroma_x;
    const int height = (f->height + sy - 1) >> f->chroma_y;
    float upper[TILE + 2], lower[TILE + 2], w, wy, unused;
    const int row = chroma_position(y, sy, offset_y(f), &wy);
    const int first = chroma_position(x, sx, offset_x(f), &unused);
    const int count = chroma_position(x + n - 1, sx, offset_x(f), &unused) + 2 - first;

    if (sx == 1 && sy == 1) {
        load(out, f, plane, y, x, n, width);
        return;
    }
    load(upper, f, plane, clamp_int(row, 0, height - 1), first, count, width);
    if (wy > 0) {
        load(lower, f, plane, clamp_int(row + 1, 0, height - 1), first, count, width);
        for (int i = 0; i < count; i++)
            upper[i] += wy * (lower[i] - upper[i]);
    }
    for (int phase = 0; phase < sx; phase++) {
        const int from = chroma_position(x + phase, sx, offset_x(f), &w) - first;
        const float *c = upper + from;

        for (int i = 0; phase + i * sx < n; i++)
            out[phase + i * sx] = c[i] + w * (c[i + 1] - c[i]);
    }
}

/* ---- rows ------------------------------------------------------------------- */

static float clip(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void convert_yuv(float *r, float *g, float *b, const lpips_frame *f,
                        const lpips_conversion *k, int y, int x, int n)
{
    float luma[TILE], cb[TILE], cr[TILE];

    load(luma, f, 0, y, x, n, f->width);
    load_chroma(cb, f, 1, y, x, n);
    load_chroma(cr, f, 2, y, x, n);
    for (int i = 0; i < n; i++) {
        const float l = (luma[i] - k->y_offset) * k->y_scale;
        const float u = cb[i] - k->c_offset, v = cr[i] - k->c_offset;

        r[i] = clip(l + k->r_u * u + k->r_v * v);
        g[i] = clip(l + k->g_u * u + k->g_v * v);
        b[i] = clip(l + k->b_u * u + k->b_v * v);
    }
}

static void convert_plain(float *out, const lpips_frame *f, const lpips_conversion *k,
                          int plane, int y, int x, int n)
{
    load(out, f, plane, y, x, n, f->width);
    if (f->bits == 32)
        return;
    for (int i = 0; i < n; i++)
        out[i] = clip((out[i] - k->y_offset) * k->y_scale);
}

static bool valid(const lpips_frame *f)
{
    const bool depth = (f->bits >= 8 && f->bits <= 16) || f->bits == 32;

    return f->plane[0] && !f->plane[1] == !f->plane[2] && f->width > 0 && f->height > 0 &&
           f->chroma_x >= 0 && f->chroma_x <= 2 && f->chroma_y >= 0 && f->chroma_y <= 2 &&
           depth && f->shift >= 0 && f->shift < 16 && f->chroma_location >= 0 &&
           f->chroma_location <= LPIPS_CHROMA_BOTTOM && f->levels >= LPIPS_LEVELS_UNKNOWN &&
           f->levels <= LPIPS_LEVELS_FULL && (f->bits != 32 || !is_yuv(f));
}

int lpips_frame_prepare(lpips_frame_rows *r, const lpips_frame *frame)
{
    lpips_frame same;

    if (!frame || !valid(frame))
        return LPIPS_ERR_ARGUMENT;
    r->frame = same = *frame;
    lpips_frame_settle(&r->frame, &same);
    return find_conversion(&r->conversion, &r->frame) ? LPIPS_OK : LPIPS_ERR_UNSUPPORTED;
}

void lpips_frame_columns(const lpips_frame_rows *r, float *const rgb[3], int y, int x, int n)
{
    const lpips_frame *f = &r->frame;

    if (is_yuv(f)) {
        convert_yuv(rgb[0], rgb[1], rgb[2], f, &r->conversion, y, x, n);
        return;
    }
    convert_plain(rgb[0], f, &r->conversion, 0, y, x, n);
    for (int p = 1; p < 3; p++) {
        if (is_grey(f))
            memcpy(rgb[p], rgb[0], (size_t)n * sizeof(float));
        else
            convert_plain(rgb[p], f, &r->conversion, p, y, x, n);
    }
}

int lpips_frame_to_rgb(const lpips_frame *frame, float *const rgb[3], ptrdiff_t row_stride,
                       int first, int rows)
{
    lpips_frame_rows r;
    int status;

    if (!rgb || !rgb[0] || !rgb[1] || !rgb[2])
        return LPIPS_ERR_ARGUMENT;
    status = lpips_frame_prepare(&r, frame);
    if (status < 0)
        return status;
    if (first < 0 || rows < 0 || rows > frame->height - first)
        return LPIPS_ERR_ARGUMENT;
    for (int y = first; y < first + rows; y++) {
        for (int x = 0; x < frame->width; x += TILE) {
            const int n = frame->width - x < TILE ? frame->width - x : TILE;
            float *line[3];

            for (int p = 0; p < 3; p++)
                line[p] = (float *)(void *)((char *)rgb[p] + y * row_stride) + x;
            lpips_frame_columns(&r, line, y, x, n);
        }
    }
    return LPIPS_OK;
}
