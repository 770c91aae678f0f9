/*
 * test_reach.c - a change in one 8x8 block is seen by the map inside the block's receptive
 * field only: outside it the map is exactly 0, wherever the block lies.
 *
 * The field is worked out here from the geometry of the nets: which outputs of each layer
 * have a changed sample under their window, and which pixels the enlarged maps take from
 * those.
 */
#include "ref.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8 };

/* Windows along one axis; tapped marks a tap after it. */
typedef struct window {
    int kernel, stride, pad, tapped;
} window;

static const window alex[] = {{11, 4, 2, 1}, {3, 2, 0, 0}, {5, 1, 2, 1}, {3, 2, 0, 0},
                              {3, 1, 1, 1},  {3, 1, 1, 1}, {3, 1, 1, 1}, {0, 0, 0, 0}};
static const window vgg[] = {{3, 1, 1, 0}, {3, 1, 1, 1}, {2, 2, 0, 0}, {3, 1, 1, 0},
                             {3, 1, 1, 1}, {2, 2, 0, 0}, {3, 1, 1, 0}, {3, 1, 1, 0},
                             {3, 1, 1, 1}, {2, 2, 0, 0}, {3, 1, 1, 0}, {3, 1, 1, 0},
                             {3, 1, 1, 1}, {2, 2, 0, 0}, {3, 1, 1, 0}, {3, 1, 1, 0},
                             {3, 1, 1, 1}, {0, 0, 0, 0}};
static const window squeeze[] = {{3, 2, 0, 1}, {3, 2, 0, 0}, {3, 1, 1, 0}, {3, 1, 1, 1},
                                 {3, 2, 0, 0}, {3, 1, 1, 0}, {3, 1, 1, 1}, {3, 2, 0, 0},
                                 {3, 1, 1, 1}, {3, 1, 1, 1}, {3, 1, 1, 1}, {3, 1, 1, 1},
                                 {0, 0, 0, 0}};

typedef struct span {
    int from, to; /* both belong to it */
} span;

static int floor_div(int a, int b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/* Outputs of a layer whose windows hold a sample of s; n outputs in all. */
static span seen_by(const window *w, span s, int n)
{
    span o = {floor_div(s.from + w->pad - w->kernel, w->stride) + 1,
              floor_div(s.to + w->pad, w->stride)};

    o.from = o.from < 0 ? 0 : o.from;
    o.to = o.to >= n ? n - 1 : o.to;
    return o;
}

/* Length after a layer; squeeze pools in ceil mode. */
static int length(const window *w, int n, int ceil_mode)
{
    int left = n + 2 * w->pad - w->kernel;

    return (left + (ceil_mode && !w->pad && w->stride == 2 ? 1 : 0)) / w->stride + 1;
}

/* Pixels of an axis of n that are interpolated between samples of s among m. */
static span enlarged(span s, int n, int m)
{
    span o = {n, -1};

    for (int i = 0; i < n; i++) {
        double at = fmax((i + .5) * m / n - .5, 0);

        /* exactly between two samples, rounding may give a neighbour a weight of 1e-7 */
        if (at > s.from - 1 - 1e-4 && at < s.to + 1 + 1e-4) {
            o.from = i < o.from ? i : o.from;
            o.to = i;
        }
    }
    return o;
}

/* Pixels of each tap's enlarged map that a change in s may reach, along an axis of n. */
static int fields(lpips_net net, span s, int n, span field[LPIPS_MAX_LAYERS])
{
    static const window *const nets[] = {alex, vgg, squeeze};
    int taps = 0, m = n;

    for (const window *w = nets[net]; w->kernel; w++) {
        /* the first convolution of squeeze looks like a pool but is cut in floor mode */
        m = length(w, m, net == LPIPS_NET_SQUEEZE && w != nets[net]);
        s = seen_by(w, s, m);
        if (w->tapped)
            field[taps++] = s.from > s.to ? (span){n, -1} : enlarged(s, n, m);
    }
    return taps;
}

static void check_plane(const float *map, int width, int height, span x, span y,
                        const char *where)
{
    int seen = 0;

    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++) {
            float v = map[(size_t)j * (size_t)width + (size_t)i];

            if (i >= x.from && i <= x.to && j >= y.from && j <= y.to)
                seen |= v > 0;
            else if (v != 0)
                fail_msg("%s: %g at %d,%d, outside %d..%d,%d..%d", where, (double)v, i, j,
                         x.from, x.to, y.from, y.to);
        }
    if (x.from <= x.to && y.from <= y.to && !seen)
        fail_msg("%s: the block is not seen at all", where);
}

/* Maps of a picture and its copy with another block at x, y. */
typedef void make_maps(const void *how, test_pair *p, test_maps *m);

static void check_block(lpips_net net, make_maps *make, const void *how, const char *name,
                        test_pair *p, int x, int y)
{
    int layers = lpips_net_layers(net), width = p->width, height = p->height;
    test_maps m = test_maps_make(layers, width, height);
    span fx[LPIPS_MAX_LAYERS], fy[LPIPS_MAX_LAYERS];
    span all_x = {width, -1}, all_y = {height, -1};
    char where[128];

    memcpy(p->rgb[1], p->rgb[0], (size_t)width * (size_t)height * 3);
    for (int j = y; j < y + BLOCK; j++)
        for (int i = 3 * x; i < 3 * (x + BLOCK); i++)
            p->rgb[1][j * 3 * width + i] ^= 0x80;
    make(how, p, &m);
    assert_int_equal(fields(net, (span){x, x + BLOCK - 1}, width, fx), layers);
    fields(net, (span){y, y + BLOCK - 1}, height, fy);
    for (int l = 0; l < layers; l++) {
        snprintf(where, sizeof where, "%s, %s, block at %d,%d of %dx%d, layer %d",
                 lpips_net_name(net), name, x, y, width, height, l);
        check_plane(m.map.layer[l], width, height, fx[l], fy[l], where);
        all_x.from = fx[l].from < all_x.from ? fx[l].from : all_x.from;
        all_x.to = fx[l].to > all_x.to ? fx[l].to : all_x.to;
        all_y.from = fy[l].from < all_y.from ? fy[l].from : all_y.from;
        all_y.to = fy[l].to > all_y.to ? fy[l].to : all_y.to;
    }
    strcpy(strrchr(where, ','), ", total");
    check_plane(m.map.total, width, height, all_x, all_y, where);
    test_maps_free(&m);
}

typedef struct library {
    lpips_net net;
    const test_kernels *kernels;
} library;

static void by_library(const void *how, test_pair *p, test_maps *m)
{
    const library *l = how;
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    o.cpu_disable = l->kernels->disable;
    o.threads = 2;
    test_compare_map(test_random_weights(l->net, "0.1"), p, &o, m);
}

/* Plain loops: shows that the fields worked out here are right and tight. */
static void by_reference(const void *how, test_pair *p, test_maps *m)
{
    const lpips_net *net = how;
    size_t n = (size_t)p->width * (size_t)p->height;
    ref_picture side[2];
    ref_result r;

    for (int i = 0; i < 2; i++)
        side[i] = ref_picture_u8(p->rgb[i], p->width, p->height);
    ref_lpips(test_reference_weights(*net, "0.1"), &side[0], &side[1], LPIPS_WANT_MAP, &r);
    for (size_t i = 0; i < n; i++) {
        m->map.total[i] = (float)r.total[i];
        for (int l = 0; l < r.layers; l++)
            m->map.layer[l][i] = (float)r.map[l][i];
    }
    ref_result_free(&r);
    ref_picture_free(&side[0]);
    ref_picture_free(&side[1]);
}

/* Corners, edges, the centre and odd places. */
static void reach(lpips_net net, int width, int height)
{
    int right = width - BLOCK, low = height - BLOCK;
    const int place[][2] = {
        {0, 0},
        {right, 0},
        {0, low},
        {right, low},
        {width / 2 - 4, height / 2 - 4},
        {right / 2, 0},
        {0, low / 3},
        {right, low / 2},
        {right / 3, low},
        {width / 3 + 1, height / 2 + 3},
        {width / 5 | 1, height / 7 | 1},
        {width * 3 / 4 - 3, height * 2 / 3 + 1},
    };
    test_pair p = test_pair_make("scene.1", "scene.1", width, height);
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    for (int i = -1; i < n; i++)
        for (size_t k = 0; k < COUNT(place); k += test_quick() ? 4 : 1) {
            const library l = {net, &sets[i < 0 ? 0 : i]};

            if (i >= 0)
                check_block(net, by_library, &l, l.kernels->name, &p, place[k][0],
                            place[k][1]);
            else if (k == 4 || (k == 9 && net != LPIPS_NET_VGG))
                check_block(net, by_reference, &net, "ref.c", &p, place[k][0], place[k][1]);
        }
    test_pair_free(&p);
}

/* Far from all differences features are equal because the same arithmetic was done, not
 * because they are known to be. */
static void far_from_two_blocks(void **state)
{
    enum { WIDTH = 2100, HEIGHT = 43, FROM = 750, TO = 1350 };
    test_pair p = test_pair_make("scene.2", "scene.2", WIDTH, HEIGHT);
    test_kernels sets[4];
    int n = test_kernel_sets(sets);

    (void)state;
    for (int y = 0; y < HEIGHT; y++)
        for (int i = 0; i < 3 * BLOCK; i++) {
            p.rgb[1][y * 3 * WIDTH + i] ^= 0x80;
            p.rgb[1][(y + 1) * 3 * WIDTH - 1 - i] ^= 0x80;
        }
    for (int k = 0; k < TEST_NETS * n; k++) {
        lpips_net net = (lpips_net)(k / n);
        const library l = {net, &sets[k % n]};
        test_maps m;

        if (test_quick() && net == LPIPS_NET_VGG)
            continue;
        m = test_maps_make(lpips_net_layers(net), WIDTH, HEIGHT);
        test_all_computed = 1;
        by_library(&l, &p, &m);
        test_all_computed = 0;
        assert_true(m.map.total[0] > 0 && m.map.total[WIDTH - 1] > 0);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = FROM; x < TO; x++)
                if (m.map.total[y * WIDTH + x] != 0)
                    fail_msg("%s, %s: %g at %d,%d", lpips_net_name(net), l.kernels->name,
                             (double)m.map.total[y * WIDTH + x], x, y);
        test_maps_free(&m);
    }
    test_pair_free(&p);
}

static void reach_alex(void **state)
{
    (void)state;
    reach(LPIPS_NET_ALEX, 397, 301);
}

static void reach_squeeze(void **state)
{
    (void)state;
    reach(LPIPS_NET_SQUEEZE, 331, 263);
}

static void reach_vgg(void **state)
{
    (void)state;
    if (test_quick())
        reach(LPIPS_NET_VGG, 67, 45);
    else
        reach(LPIPS_NET_VGG, 301, 253);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reach_alex),
        cmocka_unit_test(reach_squeeze),
        cmocka_unit_test(reach_vgg),
        cmocka_unit_test(far_from_two_blocks),
    };
    int failed = cmocka_run_group_tests_name("reach", tests, NULL, NULL);

    test_free_weights();
    return failed;
}
