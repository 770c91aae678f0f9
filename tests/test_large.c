/*
 * test_large.c - a whole picture of 3840x2160, whose tiles are the coarsest.  Its reference
 * is the library itself in plain C with another band height: minutes of work, so that only
 * `make SLOW=1 run-tests` and `make test-large` run it.
 */
#include "support.h"

#include <math.h>

/* Each is promised to be within 1e-6 of the formula. */
static const double apart = 2e-6;

static void plain_c_agrees(void **state)
{
    lpips_options fast = LPIPS_OPTIONS_DEFAULT, plain = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w = test_real_weights(LPIPS_NET_VGG, "0.1");
    lpips_result a, b;
    test_pair p;
    double worst = 0;

    (void)state;
    if (!w)
        skip();
    p = test_pair_make("scene.1", "scene.1+grain.9", 3840, 2160);
    fast.threads = plain.threads = 2;
    plain.cpu_disable = ~0u;
    plain.band_rows = 3;
    a = test_compare(w, &p, &fast);
    b = test_compare(w, &p, &plain);
    for (int i = 0; i < a.layers; i++)
        worst = fmax(worst, fabs(a.layer[i] - b.layer[i]));
    print_message("3840x2160 vgg: %.9f, in plain C %.9f; layers up to %.2g apart\n",
                  a.distance, b.distance, worst);
    assert_true(a.distance > .01);
    assert_true(fabs(a.distance - b.distance) <= apart && worst <= apart);
    test_pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_c_agrees)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    test_free_weights();
    return failed;
}
