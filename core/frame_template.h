/*
 * frame_template.h - rows of decoded frames to RGB, compiled for every instruction set: loops
 * that the compiler makes vectors of, each lane by the same operations in the same order, so
 * that all sets have the same bits.
 *
 * Rows are worked on in tiles that fit the stack, so that nothing is allocated and rows are
 * independent of each other.  Samples stay exact until the matrix: an integer of up to 16
 * bits, blended with weights that are multiples of 1/8 in both directions, needs no more than
 * the 24 bits of a float.  With neutral chroma R, G and B are therefore the same number.
 */
#define TILE LPIPS_FRAME_TILE

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
    const int left = lpips_clamp(-x, 0, n - 1);
    const int right = lpips_clamp(x + n - width, 0, n - 1);
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
    const int centred = f->chroma_location == LPIPS_CHROMA_CENTER ||
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

/* The luma columns of one phase: which chroma sample is at or before the first of them, and
 * how far behind it they lie. */
typedef struct phase {
    const float *c;
    float w;
} phase;

static float between(const phase *p, int i)
{
    return p->c[i] + p->w * (p->c[i + 1] - p->c[i]);
}

/* Chroma for n columns; subsampling by two is the common case, and both its phases at once
 * make a row without gaps. */
static void enlarge(float *restrict out, const phase *p, int sx, int n)
{
    int done = 0;

    if (sx == 2) {
        const phase even = p[0], odd = p[1];

        for (int i = 0; i < n / 2; i++) {
            out[2 * i] = between(&even, i);
            out[2 * i + 1] = between(&odd, i);
        }
        done = n / 2 * 2;
    }
    for (int i = done; i < n; i++)
        out[i] = between(&p[i % sx], i / sx);
}

/* n chroma values for luma row y from column x on. */
static void load_chroma(float *out, const lpips_frame *f, int plane, int y, int x, int n)
{
    const int sx = 1 << f->chroma_x, sy = 1 << f->chroma_y;
    const int width = (f->width + sx - 1) >> f->chroma_x;
    const int height = (f->height + sy - 1) >> f->chroma_y;
    float upper[TILE + 2], lower[TILE + 2], wy, unused;
    phase p[4];
    const int row = chroma_position(y, sy, offset_y(f), &wy);
    const int first = chroma_position(x, sx, offset_x(f), &unused);
    const int count = chroma_position(x + n - 1, sx, offset_x(f), &unused) + 2 - first;

    if (sx == 1 && sy == 1) {
        load(out, f, plane, y, x, n, width);
        return;
    }
    load(upper, f, plane, lpips_clamp(row, 0, height - 1), first, count, width);
    if (wy > 0) {
        load(lower, f, plane, lpips_clamp(row + 1, 0, height - 1), first, count, width);
        for (int i = 0; i < count; i++)
            upper[i] += wy * (lower[i] - upper[i]);
    }
    for (int i = 0; i < sx; i++)
        p[i].c = upper + chroma_position(x + i, sx, offset_x(f), &p[i].w) - first;
    enlarge(out, p, sx, n);
}

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

static void frame_columns(const lpips_frame_rows *r, float *const rgb[3], int y, int x, int n)
{
    const lpips_frame *f = &r->frame;

    if (lpips_frame_is_yuv(f)) {
        convert_yuv(rgb[0], rgb[1], rgb[2], f, &r->conversion, y, x, n);
        return;
    }
    convert_plain(rgb[0], f, &r->conversion, 0, y, x, n);
    for (int p = 1; p < 3; p++) {
        if (f->plane[1])
            convert_plain(rgb[p], f, &r->conversion, p, y, x, n);
        else
            memcpy(rgb[p], rgb[0], (size_t)n * sizeof(float));
    }
}
