/*
 * report_files.h - a folder for one test, and files in it.
 */
#ifndef TESTS_REPORT_FILES_H
#define TESTS_REPORT_FILES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A test that begins with an empty folder `root`. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s/report.XXXXXX", P_tmpdir);
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* A file below the root, with the folders that it lies in. */
static void put(const char *name, const void *data, size_t size)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static const char *below_root(const char *name)
{
    static char texts[4][256];
    static int next;
    char *text = texts[next++ % 4];

    snprintf(text, 256, "%s/%s", root, name);
    return text;
}

#endif
