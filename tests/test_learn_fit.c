/*
 * test_learn_fit.c - whole trainings on trials by formula: lin weights found again from
 * judgements they gave; all weights beside random ones.
 */
#include "data/npy.h"
#include "media.h"
#include "pictures.h"
#include "random.h"
#include "support.h"
#include "train/train.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 64 };

static char folder[] = "/tmp/lpips-fit-XXXXXX";

/* ---- trials ------------------------------------------------------------- */

/* A scene with one change of random strength, and often another contrast, brightness or
 * saturation. */
static uint8_t *distorted(int source, learn_random *r)
{
    static const char *const kinds[] = {"blur", "grain", "coarse", "shift"};
    static const int most[] = {3, 60, 90, 4};
    size_t kind = (size_t)learn_random_below(r, COUNT(kinds));
    double gain = learn_random_between(r, .5, 1.2), grey = learn_random_unit(r),
           lift = learn_random_between(r, -40, 40);
    int amount = 1 + (int)learn_random_below(r, (uint64_t)most[kind]);
    int colours = (int)learn_random_below(r, 4); /* 3: left as they are */
    char name[64];
    uint8_t *p;

    snprintf(name, sizeof name, "scene.%d+%s.%d", source, kinds[kind], amount);
    p = picture_make(name, SIDE, SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double mean = (p[3 * i] + p[3 * i + 1] + p[3 * i + 2]) / 3.;

        for (int c = 0; c < 3; c++) {
            double v = p[3 * i + c];

            v = colours == 0   ? (v - 128) * gain + 128
                : colours == 1 ? v + lift
                : colours == 2 ? v + grey * (mean - v)
                               : v;
            p[3 * i + c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + .5);
        }
    }
    return p;
}

static void save(const char *set, const char *part, int i, const uint8_t *rgb)
{
    char path[128], why[LEARN_WHY];

    snprintf(path, sizeof path, "%s/%s/%s/%06d.png", folder, set, part, i);
    if (media_png_write(path, rgb, SIDE, SIDE, why))
        fail_msg("%s", why);
}

static void make_folders(const char *set)
{
    static const char *const parts[] = {"", "/ref", "/p0", "/p1", "/judge"};
    char path[128];

    for (size_t i = 0; i < COUNT(parts); i++) {
        snprintf(path, sizeof path, "%s/%s%s", folder, set, parts[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
}

/* Trials of sources first, first + 1 ...: one each, judged by the context's net. */
static void make_trials(const char *set, int first, int n, lpips_context *c)
{
    make_folders(set);
    for (int i = 0; i < n; i++) {
        char name[32], path[128], why[LEARN_WHY];
        uint8_t *rgb[3];
        lpips_image images[3];
        lpips_result d[2];
        learn_random r;
        float judge;

        learn_random_start(&r, TEST_SEED, (uint64_t)(first + i));
        snprintf(name, sizeof name, "scene.%d", first + i);
        rgb[0] = picture_make(name, SIDE, SIDE);
        rgb[1] = distorted(first + i, &r);
        rgb[2] = distorted(first + i, &r);
        for (int k = 0; k < 3; k++) {
            static const char *const parts[] = {"ref", "p0", "p1"};

            images[k] = test_packed(rgb[k], SIDE, SIDE);
            save(set, parts[k], i, rgb[k]);
        }
        assert_int_equal(lpips_compare_many(c, images, images + 1, 2, d, NULL), LPIPS_OK);
        judge = d[1].distance < d[0].distance ? 1 : 0;
        snprintf(path, sizeof path, "%s/%s/judge/%06d.npy", folder, set, i);
        assert_int_equal(learn_npy_write(path, &judge, (size_t[]){1}, 1, why), 0);
        for (int k = 0; k < 3; k++)
            free(rgb[k]);
    }
}

/* ---- trainings ---------------------------------------------------------- */

static volatile sig_atomic_t never;

/* Trains in folder/name on folder/train and reads log.csv: the score at the start and at the
 * end, the loss of the first and of the last epoch. */
typedef struct outcome {
    double score[2], loss[2];
} outcome;

static outcome fit(const char *name, const char *set, const char *held_out, train_options o)
{
    char out[64], path[2][64], log[128], line[256], why[LEARN_WHY] = "";
    char *sets[] = {path[0], path[1]};
    outcome result = {{-1, -1}, {-1, -1}};
    FILE *f;

    snprintf(out, sizeof out, "%s/%s", folder, name);
    snprintf(path[0], sizeof path[0], "%s/%s", folder, set);
    snprintf(path[1], sizeof path[1], "%s/%s", folder, held_out);
    o.out = out;
    o.folders = &sets[0];
    o.held_out = &sets[1];
    o.n_folders = o.n_held_out = 1;
    o.stop = &never;
    o.threads = 2;
    o.every = 1 << 30;
    o.size = SIDE;
    o.quiet = true;
    if (train(&o, why))
        fail_msg("%s", why);
    snprintf(log, sizeof log, "%s/log.csv", out);
    f = fopen(log, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        int epoch, n;
        double loss, score;

        n = sscanf(line, "%d,%*d,%*[0-9.e-],%lf,%lf", &epoch, &loss, &score);
        if (n == 3) {
            result.loss[epoch > 1] = loss;
            result.score[1] = score;
        } else if (sscanf(line, "0,0,,,%lf", &score) == 1)
            result.score[0] = score;
    }
    fclose(f);
    return result;
}

/* Judged by the released weights; NULL: there are none. */
static lpips_context *judge(void)
{
    lpips_weights *w = test_real_weights(LPIPS_NET_ALEX, "0.1");
    lpips_options o = LPIPS_OPTIONS_DEFAULT;

    o.pictures = 3;
    return w ? test_context(w, SIDE, SIDE, &o) : NULL;
}

/* What both are measured on. */
static int hold_out(void **state)
{
    lpips_context *c = judge();

    (void)state;
    if (c)
        make_trials("val", 20000, test_quick() ? 20 : 2000, c);
    lpips_context_free(c);
    return 0;
}

/* The judgements are the released lin weights' own: they can be found again. */
static void lin(void **state)
{
    train_options o = {.net = LPIPS_NET_ALEX,
                       .mode = TRAIN_LIN,
                       .batch = 50,
                       .epochs = 2,
                       .decay = 2,
                       .rate = 3e-3,
                       .dropout = true};
    lpips_context *c = judge();
    outcome r;

    (void)state;
    if (!c)
        skip();
    make_trials("lin-train", 10000, test_quick() ? 60 : 2500, c);
    lpips_context_free(c);
    r = fit("lin", "lin-train", "val", o);
    print_message("lin: agreement %.2f %% at the start, %.2f %% at the end\n",
                  100 * r.score[0], 100 * r.score[1]);
    if (test_quick())
        return;
    assert_true(r.score[1] >= .97);
    assert_true(1 - r.score[1] <= (1 - r.score[0]) / 3);
}

/* All weights, from random ones: a lower loss, and more agreement than theirs on other
 * pictures, by more than chance: of 2000 trials a part has a deviation of 1.1 %. */
static void scratch(void **state)
{
    train_options o = {.net = LPIPS_NET_ALEX,
                       .mode = TRAIN_SCRATCH,
                       .batch = 25,
                       .epochs = 1,
                       .decay = 1,
                       .rate = 2e-4,
                       .dropout = true};
    lpips_context *c = test_quick() ? NULL : judge();
    outcome r;

    (void)state;
    if (!c)
        skip();
    make_trials("all-train", 30000, 1000, c);
    lpips_context_free(c);
    r = fit("scratch", "all-train", "val", o);
    print_message("scratch: loss %.4f, then %.4f; agreement %.2f %% at the start, %.2f %% at "
                  "the end\n",
                  r.loss[0], r.loss[1], 100 * r.score[0], 100 * r.score[1]);
    assert_true(r.loss[1] < r.loss[0]);
    assert_true(r.score[1] > r.score[0] + .04);
}

static int take_away(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lin),
        cmocka_unit_test(scratch),
    };
    int failed;

    if (!mkdtemp(folder))
        return 1;
    failed = cmocka_run_group_tests_name("whole trainings", tests, hold_out, NULL);
    nftw(folder, take_away, 16, FTW_DEPTH | FTW_PHYS);
    test_free_weights();
    return failed;
}
