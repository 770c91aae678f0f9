/*
 * grad_template.h - kernels of the backward pass, for kernels_template.h.
 */
typedef int32_t lanes __attribute__((vector_size(sizeof(vec)))); /* what vec > vec gives */

INLINE vec where(lanes m, vec v)
{
    return (vec)(m & (lanes)v);
}

INLINE double total(vec v)
{
    float t[VL];
    double s = 0;

    STORE(t, v);
    for (int i = 0; i < VL; i++)
        s += (double)t[i];
    return s;
}

/* sum over c of lin[c] (a[c] na - b[c] nb) a[c] */
INLINE double along(const float *a, const float *b, const float *lin, int ch, float na,
                    float nb)
{
    vec ra = SET1(na), rb = SET1(nb), sum = SET1(0.f);

    for (int c = 0; c < ch; c += VL) {
        vec x = LOAD(a + c), d = x * ra - LOAD(b + c) * rb;

        sum = FMA(LOAD(lin + c) * d, x, sum);
    }
    return total(sum);
}

/*
 * With n = |a|, r = 1 / (n + 1e-10), u = lin (a r - b / |b|):
 *     d/da[k] = 2 (r u[k] - a[k] (r^2 / n) sum over c of u[c] a[c]).
 */
static void head_back_row(float *g, const float *a, const float *b, ptrdiff_t px,
                          const float *d, int n, const float *lin, int ch, double factor)
{
    for (int i = 0; i < n; i++, g += ch, a += px, b += px) {
        double na = sqrt((double)(float)total(squares(a, ch)));
        float ra = (float)(1 / (na + 1e-10));
        float rb = (float)(1 / (sqrt((double)(float)total(squares(b, ch))) + 1e-10));

        if (d[i] == 0.f || !(na > 0))
            continue;
        vec p = SET1((float)(2 * factor * (double)ra)), sa = SET1(ra), sb = SET1(rb);
        vec q = SET1((float)(2 * factor * (double)ra * (double)ra / na *
                             along(a, b, lin, ch, ra, rb)));

        for (int c = 0; c < ch; c += VL) {
            vec x = LOAD(a + c), u = LOAD(lin + c) * (x * sa - LOAD(b + c) * sb);

            STORE(g + c, LOAD(g + c) + (p * u - q * x));
        }
    }
}

static void relu_back(float *g, const float *f, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i += VL)
        STORE(g + i, where(LOAD(f + i) > SET1(0.f), LOAD(g + i)));
}

/* One window of one vector of channels: what equals the maximum first gets the gradient. */
INLINE void window_back(float *const *dst, const float *const *rows, vec g, int size,
                        int cols, ptrdiff_t at, int ch)
{
    vec most = LOAD(rows[0] + at);
    lanes left;

    for (int y = 0; y < size; y++)
        for (int x = 0; x < cols; x++)
            most = MAX(most, LOAD(rows[y] + at + x * ch));
    left = most == most;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < cols; x++) {
            ptrdiff_t to = at + x * ch;
            lanes here = left & (LOAD(rows[y] + to) == most);

            left &= ~here;
            if (dst[y])
                STORE(dst[y] + to, LOAD(dst[y] + to) + where(here, g));
        }
}

static void pool_back_row(float *const *dst, const float *const *rows, const float *g,
                          int size, int width, int n, int ch)
{
    for (int i = 0; i < n; i++, g += ch) {
        int cols = width - 2 * i < size ? width - 2 * i : size;

        for (int c = 0; c < ch; c += VL)
            window_back(dst, rows, LOAD(g + c), size, cols, (ptrdiff_t)2 * i * ch + c, ch);
    }
}
