/*
 * test_learn_patches.c - the patches that networks learn from: whence they come.
 */
#include "../learn/distort/train.c"

#include "media.h"

#include "support.h"

enum { WIDTH = 90, HEIGHT = 80, SOURCES = 3, FRAMES = 4, PATCHES = 100 };

static char folder[] = "/tmp/lpips-patches-XXXXXX", why[LEARN_WHY];

/* The samples of a pixel are source and frame, x and y. */
static void write_frame(const char *path, int source, int frame)
{
    static uint8_t rgb[3 * WIDTH * HEIGHT];

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        rgb[3 * i] = (uint8_t)(10 * source + frame);
        rgb[3 * i + 1] = (uint8_t)(i % WIDTH);
        rgb[3 * i + 2] = (uint8_t)(i / WIDTH);
    }
    assert_int_equal(media_png_write(path, rgb, WIDTH, HEIGHT, why), 0);
}

/* Two clips and, last by name, a picture. */
static void write_or_remove(bool remove_them)
{
    char path[80];

    for (int s = 0; s < SOURCES; s++) {
        const int frames = s == SOURCES - 1 ? 1 : FRAMES;

        snprintf(path, sizeof path, "%s/%d", folder, s);
        if (frames > 1 && !remove_them)
            assert_int_equal(mkdir(path, 0777), 0);
        for (int f = 0; f < frames; f++) {
            if (frames > 1)
                snprintf(path, sizeof path, "%s/%d/%d.png", folder, s, f);
            else
                snprintf(path, sizeof path, "%s/%d.png", folder, s);
            if (remove_them)
                remove(path);
            else
                write_frame(path, s, f);
        }
        snprintf(path, sizeof path, "%s/%d", folder, s);
        if (frames > 1 && remove_them)
            remove(path);
    }
}

/* Source after source, as many of each; every frame, and places from edge to edge. */
static void test_patches(void **state)
{
    static const volatile sig_atomic_t stop = 0;
    const distort_train t = {.in = folder, .patches = PATCHES, .seed = 3, .stop = &stop};
    generator_data data = {0};
    bool frames[SOURCES][FRAMES] = {{false}}, across[WIDTH] = {false}, down[HEIGHT] = {false};
    int n[SOURCES] = {0}, before = 0;

    (void)state;
    assert_int_equal(read_patches(&t, &data, why), 0);
    for (int k = 0; k < PATCHES; k++) {
        const uint8_t *p = data.rgb + (size_t)k * PATCH_BYTES;
        const int source = p[0] / 10, frame = p[0] % 10;

        assert_in_range(source, before, SOURCES - 1);
        before = source;
        n[source]++;
        assert_in_range(frame, 0, FRAMES - 1);
        frames[source][frame] = across[p[1]] = down[p[2]] = true;
        for (int i = 0; i < DISTORT_PATCH * DISTORT_PATCH; i++) {
            assert_int_equal(p[3 * i], p[0]);
            assert_int_equal(p[3 * i + 1], p[1] + i % DISTORT_PATCH);
            assert_int_equal(p[3 * i + 2], p[2] + i / DISTORT_PATCH);
        }
    }
    for (int s = 0; s < SOURCES; s++) {
        assert_in_range(n[s], PATCHES / SOURCES, PATCHES / SOURCES + 1);
        for (int f = 0; f < FRAMES; f++)
            assert_int_equal(frames[s][f], s < SOURCES - 1 || !f);
    }
    /* of 27 and 17 places: seldom enough is one missed by a hundred */
    assert_true(across[0] || across[1]);
    assert_true(across[WIDTH - DISTORT_PATCH] || across[WIDTH - DISTORT_PATCH - 1]);
    assert_true(down[0] || down[1]);
    assert_true(down[HEIGHT - DISTORT_PATCH] || down[HEIGHT - DISTORT_PATCH - 1]);
    free(data.rgb);
}

/* Who stops the work need not wait for all sources. */
static void test_stopped(void **state)
{
    static const volatile sig_atomic_t stop = 15;
    const distort_train t = {.in = folder, .patches = PATCHES, .stop = &stop};
    generator_data data = {0};

    (void)state;
    assert_int_equal(read_patches(&t, &data, why), 1);
    assert_int_equal(data.rgb[(size_t)(PATCHES - 1) * PATCH_BYTES + 1], 0);
    assert_int_equal(data.rgb[(size_t)PATCHES * PATCH_BYTES - 1], 0);
    free(data.rgb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patches),
                                       cmocka_unit_test(test_stopped)};
    int failed;

    if (!mkdtemp(folder))
        return 1;
    write_or_remove(false);
    failed = cmocka_run_group_tests_name("patches", tests, NULL, NULL);
    write_or_remove(true);
    remove(folder);
    return failed;
}
