/*
 * frame.c - what the numbers of decoded video frames mean.  The one conversion to RGB that
 * the FFmpeg filter, the command line and the reports share; its inner loops are in
 * frame_template.h.
 */
#include "frame.h"
#include "kernels.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_grey(const lpips_frame *f)
{
    return !f->plane[1];
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
    if (!lpips_frame_is_yuv(f))
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

    if (!grey && !lpips_frame_is_yuv(f)) {
        f->levels = LPIPS_LEVELS_FULL;
        return;
    }
    if (f->matrix == LPIPS_MATRIX_UNKNOWN && !grey && lpips_frame_is_yuv(other))
        f->matrix = other->matrix;
    if (f->matrix == LPIPS_MATRIX_UNKNOWN)
        f->matrix = f->height <= 576 ? LPIPS_MATRIX_SMPTE170M : LPIPS_MATRIX_BT709;
    if (f->levels == LPIPS_LEVELS_UNKNOWN &&
        (grey ? is_grey(other) : lpips_frame_is_yuv(other)))
        f->levels = other->levels;
    if (f->levels == LPIPS_LEVELS_UNKNOWN)
        f->levels = grey ? LPIPS_LEVELS_FULL : LPIPS_LEVELS_LIMITED;
    if (f->chroma_location == LPIPS_CHROMA_UNKNOWN && !grey && lpips_frame_is_yuv(other))
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
    const char *range = levels[lpips_clamp(f->levels, 0, 2)];
    const bool sub = f->chroma_x || f->chroma_y;

    if (is_grey(f))
        return snprintf(text, size, "gray %d bit %s", f->bits, range);
    if (!lpips_frame_is_yuv(f))
        return snprintf(text, size, "rgb %d bit %s", f->bits, range);
    return snprintf(text, size, "yuv %s %d bit %s %s%s%s",
                    sampling[lpips_clamp(f->chroma_x, 0, 2)][lpips_clamp(f->chroma_y, 0, 2)],
                    f->bits,
                    f->matrix >= 0 && f->matrix <= 9 ? matrices[f->matrix] : "unknown", range,
                    sub ? " " : "",
                    sub ? locations[lpips_clamp(f->chroma_location, 0, 6)] : "");
}

static bool valid(const lpips_frame *f)
{
    const bool depth = (f->bits >= 8 && f->bits <= 16) || f->bits == 32;

    return f->plane[0] && !f->plane[1] == !f->plane[2] && f->width > 0 && f->height > 0 &&
           f->chroma_x >= 0 && f->chroma_x <= 2 && f->chroma_y >= 0 && f->chroma_y <= 2 &&
           depth && f->shift >= 0 && f->shift < 16 && f->chroma_location >= 0 &&
           f->chroma_location <= LPIPS_CHROMA_BOTTOM && f->levels >= LPIPS_LEVELS_UNKNOWN &&
           f->levels <= LPIPS_LEVELS_FULL && (f->bits != 32 || !lpips_frame_is_yuv(f)) &&
           (lpips_frame_is_yuv(f) || (!f->chroma_x && !f->chroma_y));
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

int lpips_frame_to_rgb(const lpips_frame *frame, float *const rgb[3], ptrdiff_t row_stride,
                       int first, int rows)
{
    lpips_frame_rows r;
    lpips_kernels kernels;
    int status;

    if (!rgb || !rgb[0] || !rgb[1] || !rgb[2])
        return LPIPS_ERR_ARGUMENT;
    status = lpips_frame_prepare(&r, frame);
    if (status < 0)
        return status;
    if (first < 0 || rows < 0 || rows > frame->height - first)
        return LPIPS_ERR_ARGUMENT;
    lpips_kernels_init(&kernels, lpips_cpu());
    for (int y = first; y < first + rows; y++) {
        for (int x = 0; x < frame->width; x += LPIPS_FRAME_TILE) {
            const int left = frame->width - x;
            float *line[3];

            for (int p = 0; p < 3; p++)
                line[p] = (float *)(void *)((char *)rgb[p] + y * row_stride) + x;
            kernels.frame_columns(&r, line, y, x,
                                  left < LPIPS_FRAME_TILE ? left : LPIPS_FRAME_TILE);
        }
    }
    return LPIPS_OK;
}
