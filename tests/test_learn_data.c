/*
 * test_learn_data.c - numpy's files and folders of trials: what is read, what is refused.
 */
#include "support.h"

#include "data/bapps.h"
#include "data/checkpoint.h"
#include "data/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- .npy ------------------------------------------------------------------------------ */

/* As numpy.save() writes it: version 1.0, 118 bytes of header, 128 before the numbers. */
static size_t file_of(unsigned char *out, const char *dictionary, const void *data, size_t n)
{
    memset(out, ' ', 128);
    memcpy(out, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(out + 10, dictionary, strlen(dictionary));
    out[127] = '\n';
    memcpy(out + 128, data, n);
    return 128 + n;
}

static const char one[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
static const unsigned char three_quarters[4] = {0, 0, 0x40, 0x3f};

static void npy_as_numpy(void **state)
{
    const float values[6] = {0.75F, -1, 2, 1e-30F, NAN, 6};
    const size_t shape[] = {2, 3};
    char name[] = "/tmp/lpips-npy-XXXXXX", why[LEARN_WHY];
    unsigned char wanted[256], got[256];
    learn_npy a;
    FILE *f;

    (void)state;
    assert_true(mkstemp(name) >= 0);
    assert_int_equal(learn_npy_write(name, values, shape, 2, why), 0);
    assert_int_equal(learn_npy_read(&a, name, why), 0);
    assert_int_equal(a.dims, 2);
    assert_true(a.n == 6 && a.shape[0] == 2 && a.shape[1] == 3);
    assert_memory_equal(a.values, values, sizeof values);
    learn_npy_free(&a);
    assert_int_equal(learn_npy_write(name, values, (const size_t[]){1}, 1, why), 0);
    f = fopen(name, "rb");
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof got, f), 132);
    fclose(f);
    file_of(wanted, one, three_quarters, 4);
    assert_memory_equal(got, wanted, 132);
    assert_int_equal(learn_npy_write(name, values, NULL, 0, why), 0);
    assert_int_equal(learn_npy_read(&a, name, why), 0);
    assert_true(a.n == 1 && a.dims == 0 && a.values[0] == 0.75F);
    learn_npy_free(&a);
    unlink(name);
}

static void npy_refuses(void **state)
{
    static const struct {
        const char *dictionary, *words;
    } cases[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "not float32"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "not float32"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "columns"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "needs 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", "needs 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", "shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1), }", "shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (65536,65536,65536,65536), }",
         "more than"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
         "shape"},
        {"{'descr': '<f4', 'fortran_order': False, }", "lacks"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
         "repeated"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "unknown"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "goes on"},
        {"['descr']", "dictionary"},
    };
    unsigned char file[256];
    char why[LEARN_WHY];
    learn_npy a;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t size = file_of(file, cases[i].dictionary, three_quarters, 4);

        why[0] = 0;
        if (!learn_npy_parse(&a, "judge/7.npy", file, size, why) ||
            !strstr(why, cases[i].words) || !strstr(why, "judge/7.npy"))
            fail_msg("%s: %s", cases[i].dictionary, why);
        learn_npy_free(&a);
    }
}

/* Cut anywhere, and with each byte changed, it is refused or read, but never read beyond. */
static void npy_damaged(void **state)
{
    unsigned char whole[256], *part;
    size_t size = file_of(whole, one, three_quarters, 4);
    char why[LEARN_WHY];
    learn_npy a;

    (void)state;
    for (size_t n = 0; n < size; n++) {
        part = malloc(n ? n : 1);
        memcpy(part, whole, n);
        assert_int_equal(learn_npy_parse(&a, "x", part, n, why), -1);
        learn_npy_free(&a);
        free(part);
    }
    for (size_t i = 0; i < 128; i++)
        for (int bit = 0; bit < 8; bit++) {
            int status;

            part = malloc(size);
            memcpy(part, whole, size);
            part[i] ^= (unsigned char)(1 << bit);
            status = learn_npy_parse(&a, "x", part, size, why);
            assert_true(status == -1 || a.n == 1);
            learn_npy_free(&a);
            free(part);
        }
}

/* ---- checkpoints
 * --------------------------------------------------------------------------- */

/* Long names and metadata are whole; the loader's own tests read such files otherwise. */
static void checkpoint_is_whole(void **state)
{
    char metadata[20000], name[201];
    const float floats[2] = {1, 2};
    learn_tensor tensors[2] = {{name, {2}, 1, floats}, {"zeros", {1, 3}, 2, NULL}};
    unsigned char *file;
    size_t size, header = 0;

    (void)state;
    memset(metadata, 'x', sizeof metadata);
    memcpy(metadata, "{\"a\":\"", 6);
    memcpy(metadata + sizeof metadata - 3, "\"}", 3);
    memset(name, 'n', 200);
    name[200] = 0;
    file = learn_checkpoint(tensors, 2, metadata, &size);
    assert_non_null(file);
    for (int i = 7; i >= 0; i--)
        header = header << 8 | file[i];
    assert_int_equal((8 + header) % 64, 0);
    assert_int_equal(size, 8 + header + 4 * 5);
    assert_memory_equal(file + 8 + header, floats, 8);
    assert_true(file[8] == '{' && file[size - 1] == 0);
    free(file);
}

/* ---- folders -----------------------------------------------------------------------------
 */

static char root[64];

static char *below(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *bytes)
{
    FILE *f = fopen(below(name), "wb");

    assert_non_null(f);
    fputs(bytes, f);
    fclose(f);
}

static void judge(const char *name, float value)
{
    char why[LEARN_WHY];

    assert_int_equal(learn_npy_write(below(name), &value, (const size_t[]){1}, 1, why), 0);
}

/* Three trials of 2AFC, named so that their order is not that of their making. */
static void make_2afc(const char *folder)
{
    static const char *const parts[] = {"", "/ref", "/p0", "/p1", "/judge"};
    static const char *const stems[] = {"b", "a", "a.c"};
    char name[128];

    for (size_t i = 0; i < COUNT(parts); i++) {
        snprintf(name, sizeof name, "%s%s", folder, parts[i]);
        mkdir(below(name), 0777);
    }
    for (size_t i = 0; i < COUNT(stems); i++) {
        for (size_t p = 1; p < 4; p++) {
            snprintf(name, sizeof name, "%s%s/%s.%s", folder, parts[p], stems[i],
                     p == 2 ? "PNG" : "png");
            put(name, "x");
        }
        snprintf(name, sizeof name, "%s/judge/%s.npy", folder, stems[i]);
        judge(name, (float)i / 2);
    }
}

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/lpips-bapps-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    for (int i = 0; i < 3; i++)
        mkdir(below((const char *const[]){"2afc", "2afc/val", "2afc/train"}[i]), 0777);
    make_2afc("2afc/val/cnn");
    make_2afc("2afc/val/Zoo");
    make_2afc("2afc/train/cnn");
    return 0;
}

static int drop_root(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static int open_root(learn_bapps *b, const char *name, int task, learn_split split,
                     char why[LEARN_WHY])
{
    char *folder = below(name);

    why[0] = 0;
    return learn_bapps_open(b, &folder, 1, task, split, why);
}

static void bapps_in_order(void **state)
{
    char why[LEARN_WHY];
    learn_bapps b;

    (void)state;
    assert_int_equal(open_root(&b, "", LEARN_ANY_TASK, LEARN_VAL, why), 0);
    assert_int_equal(b.n, 2);
    assert_string_equal(b.subsets[0].label, "Zoo");
    assert_string_equal(b.subsets[1].label, "cnn");
    for (size_t s = 0; s < b.n; s++) {
        assert_int_equal(b.subsets[s].n, 3);
        assert_string_equal(b.subsets[s].trials[0].stem, "a");
        assert_string_equal(b.subsets[s].trials[1].stem, "a.c");
        assert_string_equal(b.subsets[s].trials[2].stem, "b");
        assert_string_equal(b.subsets[s].trials[1].name[0], "a.c.PNG");
        assert_string_equal(b.subsets[s].trials[1].name[2], "a.c.png");
        assert_true(b.subsets[s].trials[0].judge == 0.5F);
        assert_true(b.subsets[s].trials[1].judge == 1 && b.subsets[s].trials[2].judge == 0);
    }
    learn_bapps_free(&b);
    assert_int_equal(open_root(&b, "2afc", LEARN_2AFC, LEARN_ALL, why), 0);
    assert_int_equal(b.n, 3);
    assert_string_equal(b.subsets[0].family, "cnn");
    assert_non_null(strstr(b.subsets[0].label, "2afc/train/cnn"));
    assert_non_null(strstr(b.subsets[2].label, "2afc/val/cnn"));
    learn_bapps_free(&b);
    assert_int_equal(open_root(&b, "2afc/train/cnn/", LEARN_2AFC, LEARN_VAL, why), 0);
    assert_int_equal(b.n, 1);
    assert_string_equal(b.subsets[0].label, "cnn");
    learn_bapps_free(&b);
    assert_int_equal(open_root(&b, "", LEARN_JND, LEARN_ALL, why), -1);
    assert_non_null(strstr(why, "no jnd trials"));
}

/* Each is made, refused with these words, and undone. */
static void refused(const char *words)
{
    char why[LEARN_WHY];
    learn_bapps b;

    if (!open_root(&b, "2afc/val", LEARN_ANY_TASK, LEARN_VAL, why) || !strstr(why, words))
        fail_msg("\"%s\" is not in: %s", words, why);
    assert_true(!b.n && !b.subsets);
}

static void move(const char *from, const char *to)
{
    char a[512];

    strcpy(a, below(from));
    assert_int_equal(rename(a, below(to)), 0);
}

static void bapps_refuses(void **state)
{
    (void)state;
    move("2afc/val/cnn/judge/a.npy", "gone");
    refused("a.PNG has no partner in judge");
    judge("2afc/val/cnn/judge/a.npy", 1.25F);
    refused("cnn/judge/a.npy holds 1.25, which is no fraction");
    judge("2afc/val/cnn/judge/a.npy", NAN);
    refused("no fraction");
    put("2afc/val/cnn/judge/a.npy", "text");
    refused("cnn/judge/a.npy is no .npy file");
    move("gone", "2afc/val/cnn/judge/a.npy");
    move("2afc/val/cnn/p1/b.png", "2afc/val/cnn/p1/c.png");
    refused("b.PNG has no partner in p1");
    put("2afc/val/cnn/p1/b.png", "x");
    refused("p1/c.png has no partner in p0");
    unlink(below("2afc/val/cnn/p1/c.png"));
    put("2afc/val/cnn/p1/b.jpg", "x");
    refused("b.jpg and b.png have one name");
    unlink(below("2afc/val/cnn/p1/b.jpg"));
    put("2afc/val/cnn/p1/.hidden.png", "x");
    put("2afc/val/cnn/p1/notes.txt", "x");
    move("2afc/val/cnn/judge", "2afc/val/cnn/judges");
    refused("no judgements");
    move("2afc/val/cnn/judges", "2afc/val/cnn/judge");
    mkdir(below("2afc/val/cnn/same"), 0777);
    refused("both judge (2AFC) and same (JND)");
    rmdir(below("2afc/val/cnn/same"));
    move("2afc/val/cnn/ref", "2afc/val/cnn/reference");
    refused("cnn/ref cannot be read");
    move("2afc/val/cnn/reference", "2afc/val/cnn/ref");
    {
        char why[LEARN_WHY];
        learn_bapps b;

        assert_int_equal(open_root(&b, "2afc/val", LEARN_ANY_TASK, LEARN_VAL, why), 0);
        learn_bapps_free(&b);
        assert_int_equal(open_root(&b, "2afc/nothing", LEARN_ANY_TASK, LEARN_VAL, why), -1);
        assert_non_null(strstr(why, "2afc/nothing cannot be read"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_as_numpy),
        cmocka_unit_test(npy_refuses),
        cmocka_unit_test(npy_damaged),
        cmocka_unit_test(checkpoint_is_whole),
        cmocka_unit_test_setup_teardown(bapps_in_order, make_root, drop_root),
        cmocka_unit_test_setup_teardown(bapps_refuses, make_root, drop_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
