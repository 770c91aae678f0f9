/*
 * grad_support.c - see grad_support.h.
 */
#include "grad_support.h"

#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

floats floats_make(int width, int height)
{
    floats f = {width, height, (size_t)width * (size_t)height, NULL};

    f.v = malloc(3 * f.n * sizeof *f.v);
    assert_non_null(f.v);
    memset(f.v, 0xff, 3 * f.n * sizeof *f.v);
    return f;
}

void floats_free(floats *f)
{
    free(f->v);
    f->v = NULL;
}

floats floats_picture(const char *name, int width, int height, uint32_t seed)
{
    floats f = floats_make(width, height);
    uint8_t *rgb = picture_make(name, width, height);

    for (size_t i = 0; i < 3 * f.n; i++) {
        float noise = (float)(picture_hash((uint32_t)i + seed * 7919u) >> 8) * 0x1p-24f;

        f.v[i] = (float)rgb[i % f.n * 3 + i / f.n] / 255.f * .9f + .05f * noise;
    }
    free(rgb);
    return f;
}

lpips_image floats_image(const floats *f)
{
    const ptrdiff_t row = 4L * f->width;
    lpips_image img;

    assert_int_equal(
        lpips_image_planar(&img, LPIPS_F32,
                           (const void *const[3]){f->v, f->v + f->n, f->v + 2 * f->n},
                           (const ptrdiff_t[3]){row, row, row}, f->width, f->height),
        LPIPS_OK);
    return img;
}

lpips_planes floats_planes(const floats *f)
{
    const ptrdiff_t row = 4L * f->width;

    return (lpips_planes){{f->v, f->v + f->n, f->v + 2 * f->n}, {row, row, row}, 4};
}

double floats_largest(const floats *f)
{
    double most = 0;

    for (size_t i = 0; i < 3 * f->n; i++) {
        assert_true(isfinite(f->v[i]));
        most = fmax(most, fabs((double)f->v[i]));
    }
    return most;
}

void floats_same(const floats *a, const floats *b, const char *what)
{
    for (size_t i = 0; i < 3 * a->n; i++)
        if (memcmp(&a->v[i], &b->v[i], sizeof *a->v))
            fail_msg("%s: sample %zu is %.9g, not %.9g", what, i, (double)a->v[i],
                     (double)b->v[i]);
}

lpips_result floats_gradient(lpips_weights *w, const lpips_options *options,
                             const lpips_image *a, const lpips_image *b, const floats *g)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_planes out = floats_planes(g);
    lpips_context *c;
    lpips_result r;

    if (options)
        o = *options;
    o.flags |= LPIPS_WANT_GRADIENT;
    c = test_context(w, a->width, a->height, &o);
    assert_int_equal(lpips_gradient(c, a, b, &r, &out), LPIPS_OK);
    lpips_context_free(c);
    return r;
}
