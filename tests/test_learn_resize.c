/*
 * test_learn_resize.c - Pillow's antialiased bilinear, byte for byte: against hashes of what
 * Pillow made (golden/make_resize.py), and against Pillow itself where Python has it.
 */
#include "pictures.h"
#include "support.h"

#include "data/resize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* What make_resize.py ends with when it lacks a package. */
enum { NO_PILLOW = 77 };

static char why[LEARN_WHY];

/* FNV-1a. */
static unsigned long long hash_of(const uint8_t *data, size_t n)
{
    unsigned long long h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    return h;
}

/* All rows of a table; how many there were. */
static int check_rows(FILE *f)
{
    char line[256], name[32];
    int done = 0, w, h, to_w, to_h;
    unsigned long long expected;

    while (fgets(line, sizeof line, f)) {
        learn_picture p;
        uint8_t *rgb, *made;

        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%31s %d %d %d %d %llx", name, &w, &h, &to_w, &to_h,
                                &expected),
                         6);
        rgb = picture_make(name, w, h);
        p = (learn_picture){rgb, w, h, 3 * (ptrdiff_t)w};
        made = learn_resize(&p, to_w, to_h, why);
        if (!made)
            fail_msg("%s", why);
        if (hash_of(made, 3 * (size_t)to_w * (size_t)to_h) != expected)
            fail_msg("Pillow makes something else of %s", line);
        free(made);
        free(rgb);
        done++;
    }
    return done;
}

static void test_golden(void **state)
{
    FILE *f = fopen("tests/golden/resize.tsv", "r");

    (void)state;
    assert_non_null(f);
    assert_int_equal(check_rows(f), 53);
    fclose(f);
}

/* PYTHON=... in the environment: one that has Pillow. */
static void test_pillow(void **state)
{
    const char *python = getenv("PYTHON");
    char command[512];
    int done, status;
    FILE *f;

    (void)state;
    snprintf(command, sizeof command, "%s tests/golden/make_resize.py 1 2>&1 | grep -v '^No'",
             python ? python : "python3");
    f = popen(command, "r");
    assert_non_null(f);
    done = check_rows(f);
    status = pclose(f);
    if (done == 0) {
        print_message(
            "skipped: this Python has no Pillow or no numpy; PYTHON= names another\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(done, 60);
}

/* Each row of a picture within a larger one, and upside down. */
static void test_strides(void **state)
{
    enum { W = 40, H = 30, LEFT = 7, TOP = 3, PART = 25 };
    uint8_t *rgb = picture_make("scene.1", W, H), part[PART * PART * 3], flipped[sizeof part];
    learn_picture whole = {rgb + 3 * (TOP * W + LEFT), PART, PART, 3 * W};
    learn_picture packed = {part, PART, PART, 3 * PART};
    learn_picture back = {flipped + sizeof flipped - 3 * PART, PART, PART, -3 * PART};
    uint8_t *made[3];

    (void)state;
    for (int y = 0; y < PART; y++) {
        memcpy(part + y * 3 * PART, whole.rgb + y * whole.stride, 3 * PART);
        memcpy(flipped + (PART - 1 - y) * 3 * PART, whole.rgb + y * whole.stride, 3 * PART);
    }
    for (int to = 7; to <= PART; to += PART - 7) {
        made[0] = learn_resize(&whole, 11, to, why);
        made[1] = learn_resize(&packed, 11, to, why);
        made[2] = learn_resize(&back, 11, to, why);
        for (int i = 0; i < 3; i++)
            assert_non_null(made[i]);
        assert_memory_equal(made[0], made[1], 11 * (size_t)to * 3);
        assert_memory_equal(made[0], made[2], 11 * (size_t)to * 3);
        for (int i = 0; i < 3; i++)
            free(made[i]);
    }
    free(rgb);
}

static void test_errors(void **state)
{
    uint8_t rgb[3] = {1, 2, 3};
    learn_picture p = {rgb, 1, 1, 3}, none = {rgb, 0, 1, 3};

    (void)state;
    assert_null(learn_resize(&p, 0, 5, why));
    assert_string_equal(why, "a picture of 1x1 cannot be resized to 0x5");
    assert_null(learn_resize(&none, 5, 5, why));
    assert_null(learn_resize(&p, INT32_MAX, INT32_MAX, why));
    assert_string_equal(why, "no memory to resize a picture of 1x1 to 2147483647x2147483647");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_pillow),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
