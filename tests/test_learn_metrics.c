/*
 * test_learn_metrics.c - the metrics that LPIPS is judged beside: against the tables of
 * well-kept packages (golden/make_metrics.py), values known by hand, promises, errors.
 */
#include "pictures.h"
#include "support.h"

#include "metrics/room.h"

#include <fftw3.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char why[LEARN_WHY];

static learn_picture view(const uint8_t *rgb, int width, int height)
{
    return (learn_picture){rgb, width, height, 3 * (ptrdiff_t)width};
}

static double distance(learn_metric_room *room, const char *name, const uint8_t *a,
                       const uint8_t *b, int width, int height)
{
    learn_picture p = view(a, width, height), q = view(b, width, height);
    double d = NAN;

    if (learn_metric_distance(learn_metric_find(name), room, &p, &q, &d, why) < 0)
        fail_msg("%s", why);
    return d;
}

/* ---- against other packages ------------------------------------------------ */

typedef struct row {
    char metric[16], a[32], b[32];
    int width, height;
    double value;
} row;

/* Both sides compute in double, in different orders, numbers that come from values around 1:
 * each of a picture's sums is good to some 1e-14 of that, and what is left after 1 - x keeps
 * the absolute error.  Values of L2, which nothing is subtracted from, agree in proportion.
 */
static int agrees(double got, double expected)
{
    return fabs(got - expected) <= 1e-12 + 1e-12 * fabs(expected);
}

static void test_golden(void **state)
{
    learn_metric_room *room = learn_metric_room_make();
    FILE *f = fopen("tests/golden/metrics.tsv", "r");
    int done = 0, skipped = 0;
    double worst = 0;
    char line[256];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        test_pair p;
        row r;
        double d;

        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%15s %d %d %31s %31s %lf", r.metric, &r.width,
                                &r.height, r.a, r.b, &r.value),
                         6);
        p = test_pair_make(r.a, r.b, r.width, r.height);
        if (p.rgb[0] && p.rgb[1]) {
            d = distance(room, r.metric, p.rgb[0], p.rgb[1], r.width, r.height);
            worst = fmax(worst, fabs(d - r.value));
            if (!agrees(d, r.value))
                print_message("%s is %.16g off %g\n", line, d, d - r.value);
            done++;
        } else
            skipped++;
        test_pair_free(&p);
    }
    fclose(f);
    learn_metric_room_free(room);
    print_message("%d distances, largest deviation %.2g\n", done, worst);
    if (skipped)
        print_message("skipped: %d distances of pictures of ../shared/data/pairs\n", skipped);
    assert_true(done > 500);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
