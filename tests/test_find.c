/*
 * test_find.c - weights files: loading, refusing, finding, and every allocation failed
 * in turn.
 *
 * Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=aligned_alloc.
 */
#include "../core/model.h"
#include "st_writer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED = 7 };

/* ---- allocations that fail ------------------------------------------------ */

static int countdown = -1; /* the allocation after this many fails; < 0: none */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static int fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* ---- a file to work with --------------------------------------------------- */

/* The hashes of test_model.c: seeded squeeze. */
static const char hash_01[] =
    "1230b144ea5903d2aea4dc20cbd2a298454b2f40af65624548c829c89091786b";
static const char hash_00[] =
    "b21c5d2db96d3d1f6efb7831fe34a85bc7bedc3561385c48bff0bafd752f067a";

/* The smallest net. */
static unsigned char *squeeze(const char *version, size_t *size)
{
    unsigned char *file = st_random_weights(LPIPS_NET_SQUEEZE, version, SEED, size);

    assert_non_null(file);
    return file;
}

/* ---- files ---------------------------------------------------------------- */

static char folder[64];
#define NAME_00 "lpips-squeeze-v0.0.safetensors"

static char *in_folder(const char *name)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(in_folder(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lpips-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(in_folder("w"));
    unlink(in_folder(NAME_00));
    unlink(in_folder("pipe"));
    return rmdir(folder);
}

static void load_refused(const char *path, int expected, const char *reason)
{
    char detail[256], sentence[256];
    lpips_weights *w = (lpips_weights *)1;

    assert_int_equal(lpips_weights_load(&w, path, detail, sizeof detail), expected);
    assert_null(w);
    snprintf(sentence, sizeof sentence, "%s: %s", path, reason);
    assert_string_equal(detail, sentence);
}

/* The hash is taken of the file; these are the values that will be computed with. */
static void check_tensors(const lpips_weights *w, const unsigned char *file, size_t size)
{
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    int n = lpips_net_tensors(w->def, spec);
    lpips_weights *copied;

    assert_int_equal(lpips_weights_load_memory(&copied, file, size, NULL, 0), LPIPS_OK);
    for (int i = 0; i < n; i++) {
        size_t bytes = sizeof(float);

        for (int d = 0; d < spec[i].dims; d++)
            bytes *= (size_t)spec[i].shape[d];
        assert_int_equal((uintptr_t)w->tensor[i] % sizeof(float), 0);
        assert_memory_equal(w->tensor[i], copied->tensor[i], bytes);
    }
    lpips_weights_unref(copied);
}

/* The header's length decides whether tensors may stay where they were read. */
static void test_load(void **state)
{
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        size_t size;
        unsigned char *file = squeeze("0.1", &size), *padded;
        lpips_weights *w;
        char detail[256];

        padded = malloc(size + 4);
        assert_non_null(padded);
        memcpy(padded, file, 9);
        memset(padded + 9, ' ', (size_t)shift);
        memcpy(padded + 9 + shift, file + 9, size - 9);
        padded[0] = (unsigned char)(padded[0] + shift);
        put_file("w", padded, size + (size_t)shift);
        if (lpips_weights_load(&w, in_folder("w"), detail, sizeof detail))
            fail_msg("%s", detail);
        assert_string_equal(lpips_weights_hash(w), hash_01);
        check_tensors(w, file, size);
        lpips_weights_unref(w);
        free(padded);
        free(file);
    }
}

static void test_load_refusals(void **state)
{
    char deep[260], detail[256];
    lpips_weights *w;

    (void)state;
    load_refused(in_folder("absent"), LPIPS_ERR_IO, "No such file or directory");
    load_refused(folder, LPIPS_ERR_IO, "not a regular file");
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    load_refused(in_folder("pipe"), LPIPS_ERR_IO, "not a regular file");
    put_file("w", "", 0);
    load_refused(in_folder("w"), LPIPS_ERR_WEIGHTS,
                 "not safetensors: 0 bytes, header length 0");
    assert_int_equal(truncate(in_folder("w"), ((off_t)1 << 30) + 1), 0);
    load_refused(in_folder("w"), LPIPS_ERR_WEIGHTS,
                 "1073741825 bytes, more than the 1073741824 accepted");

    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_int_equal(lpips_weights_load(&w, deep, detail, sizeof detail), LPIPS_ERR_IO);
    assert_memory_equal(detail, "...ddd", 6);
    assert_string_equal(detail + 3 + 120, ": File name too long");

    assert_int_equal(lpips_weights_load(NULL, "x", NULL, 0), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_load(&w, NULL, NULL, 0), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_load_memory(&w, NULL, 0, NULL, 0), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_load_memory(NULL, "x", 1, NULL, 0), LPIPS_ERR_ARGUMENT);
}

static void set_path(const char *format, const char *arg)
{
    char text[160];

    snprintf(text, sizeof text, format, arg);
    assert_int_equal(setenv("LPIPS_WEIGHTS_PATH", text, 1), 0);
}

static void test_find(void **state)
{
    size_t size;
    unsigned char *file = squeeze("0.0", &size);
    char detail[256], sentence[256];
    lpips_weights *w;

    (void)state;
    put_file(NAME_00, file, size);
    set_path(":/nowhere/at/all:%s", folder);
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_SQUEEZE, "0.0", detail, sizeof detail),
                     LPIPS_OK);
    assert_string_equal(detail, "");
    assert_string_equal(lpips_weights_hash(w), hash_00);
    lpips_weights_unref(w);

    /* A file of the right name that is no good is not passed over. */
    put_file(NAME_00, file, size - 1);
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_SQUEEZE, "0.0", detail, sizeof detail),
                     LPIPS_ERR_WEIGHTS);
    assert_null(w);
    assert_non_null(strstr(detail, "is the file cut short?"));
    free(file);

    file = squeeze("0.1", &size);
    put_file(NAME_00, file, size);
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_SQUEEZE, "0.0", detail, sizeof detail),
                     LPIPS_ERR_WEIGHTS);
    assert_null(w);
    snprintf(sentence, sizeof sentence, "%s: holds squeeze v0.1, not what its name says",
             in_folder(NAME_00));
    assert_string_equal(detail, sentence);
    free(file);
}

static void test_find_nothing(void **state)
{
    char detail[256];
    lpips_weights *w;

    (void)state;
    assert_int_equal(lpips_weights_find(NULL, LPIPS_NET_ALEX, NULL, NULL, 0),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_find(&w, (lpips_net)3, NULL, NULL, 0), LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_find(&w, (lpips_net)-1, NULL, NULL, 0),
                     LPIPS_ERR_ARGUMENT);
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_VGG, "../0.1", detail, sizeof detail),
                     LPIPS_ERR_ARGUMENT);
    assert_string_equal(detail,
                        "there is no version ../0.1 of the weights, only 0.1 and 0.0");
#ifdef LPIPS_DATADIR
    if (!access(LPIPS_DATADIR "/" NAME_00, F_OK)) {
        print_message("skipped: %s is installed\n", LPIPS_DATADIR "/" NAME_00);
        return;
    }
#endif
    set_path("%s", "/nowhere/at/all");
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_SQUEEZE, "0.0", detail, sizeof detail),
                     LPIPS_ERR_IO);
    assert_null(w);
    assert_non_null(strstr(detail, "no " NAME_00 " in LPIPS_WEIGHTS_PATH (/nowhere/at/all)"));
    assert_non_null(strstr(detail, "weights/README.md"));
    unsetenv("LPIPS_WEIGHTS_PATH");
    assert_int_equal(lpips_weights_find(&w, LPIPS_NET_SQUEEZE, "0.0", detail, sizeof detail),
                     LPIPS_ERR_IO);
    assert_non_null(strstr(detail, "LPIPS_WEIGHTS_PATH (not set)"));
}

static void test_builtin(void **state)
{
#ifdef LPIPS_NO_BUILTIN
    (void)state;
    print_message("skipped: built without weights inside\n");
#else
    char detail[256] = "";
    lpips_weights *w;

    (void)state;
    set_path("%s", "/nowhere/at/all");
    if (lpips_weights_find(&w, LPIPS_NET_ALEX, NULL, detail, sizeof detail))
        fail_msg("%s", detail);
    assert_int_equal(lpips_weights_net(w), LPIPS_NET_ALEX);
    assert_string_equal(lpips_weights_version(w), "0.1");
    assert_string_equal(lpips_weights_hash(w),
                        "4ed07d1fe45603c6f5267fdaf99bb3868bfa84017d00d4a9fdf03ee9d44079a8");
    assert_null(w->storage);
    lpips_weights_unref(w);
#endif
}

/* ---- sharing, memory ------------------------------------------------------ */

/* The leaks that a failure may leave are AddressSanitizer's to see. */
static void test_memory(void **state)
{
    size_t size;
    unsigned char *file = squeeze("0.1", &size);

    (void)state;
    put_file("w", file, size);
    for (int from_file = 0; from_file < 2; from_file++) {
        int status = LPIPS_ERR_MEMORY, n;

        for (n = 0; status; n++) {
            char detail[256] = "";
            lpips_weights *w = (lpips_weights *)1;

            countdown = n;
            status = from_file ? lpips_weights_load(&w, in_folder("w"), detail, 256)
                               : lpips_weights_load_memory(&w, file, size, detail, 256);
            countdown = -1;
            if (status) {
                assert_int_equal(status, LPIPS_ERR_MEMORY);
                assert_null(w);
                assert_non_null(strstr(detail, "no memory"));
            }
            lpips_weights_unref(w);
            assert_in_range(n, 0, 50);
        }
        assert_in_range(n, 4, 50); /* fewer: not linked as the top of this file says */
    }
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_load_refusals, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_find, make_folder, remove_folder),
        cmocka_unit_test(test_find_nothing),
        cmocka_unit_test(test_builtin),
        cmocka_unit_test_setup_teardown(test_memory, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
