/*
 * test_model.c - weights out of the bytes of a file: what they hold, what is refused
 * and how that is said.  test_find.c has files and folders.
 */
#include "../core/model.h"
#include "st_writer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a)           (sizeof(a) / sizeof *(a))
#define META(net, version) "{\"net\":\"" net "\",\"version\":\"" version "\"}"

enum { SEED = 7, NETS = 3 };

/* ---- weights to damage ---------------------------------------------------- */

/* Squeeze, the smallest, as a list of tensors with room for a few more. */
typedef struct parts {
    learn_tensor items[LPIPS_MAX_TENSORS];
    lpips_tensor_spec names[LPIPS_MAX_TENSORS];
    float *floats;
    int n;
} parts;

static parts squeeze;

static int make_parts(void **state)
{
    (void)state;
    squeeze.n = st_random_items(LPIPS_NET_SQUEEZE, SEED, squeeze.items, squeeze.names,
                                &squeeze.floats);
    return squeeze.n == 0;
}

static int free_parts(void **state)
{
    (void)state;
    free(squeeze.floats);
    return 0;
}

static learn_tensor *item_of(parts *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->items[i].name, name))
            return &p->items[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void add(parts *p, const char *name, const learn_tensor *like)
{
    p->items[p->n] = *like;
    p->items[p->n++].name = name;
}

static void drop(parts *p, const char *name)
{
    learn_tensor *item = item_of(p, name);

    *item = p->items[--p->n];
}

static int load(lpips_weights **w, const parts *p, const char *metadata, char detail[256])
{
    size_t size;
    unsigned char *file = learn_checkpoint(p->items, p->n, metadata, &size);
    int status;

    assert_non_null(file);
    *detail = 0;
    status = lpips_weights_load_memory(w, file, size, detail, 256);
    memset(file, 0xff, size);
    free(file);
    return status;
}

static void refused(const parts *p, const char *metadata, int expected, const char *sentence)
{
    lpips_weights *w = (lpips_weights *)1;
    char detail[256];
    int status = load(&w, p, metadata, detail);

    assert_string_equal(detail, sentence);
    assert_int_equal(status, expected);
    assert_null(w);
}

static lpips_weights *accepted(const parts *p, const char *metadata)
{
    lpips_weights *w;
    char detail[256];
    int status = load(&w, p, metadata, detail);

    if (status)
        fail_msg("refused: %s", detail);
    return w;
}

/* ---- what weights hold ---------------------------------------------------- */

/* From golden/random_weights.py and tensors.py: neither the generator, nor the writer
 * nor the hash are those of this program. */
static const struct {
    lpips_net net;
    const char *version, *hash;
} hashes[] = {
    {LPIPS_NET_ALEX, "0.1",
     "eb0a1878ddb55480e7e7ddee7497fe9e9d237bc2464f0cfc50b712d099dc1ef4"},
    {LPIPS_NET_VGG, "0.1",
     "a503eab8baf7a51abcd35589d478a25c482671021d13822dfc9df49c4be8fff3"},
    {LPIPS_NET_SQUEEZE, "0.1",
     "1230b144ea5903d2aea4dc20cbd2a298454b2f40af65624548c829c89091786b"},
    {LPIPS_NET_SQUEEZE, "0.0",
     "b21c5d2db96d3d1f6efb7831fe34a85bc7bedc3561385c48bff0bafd752f067a"},
};

static void test_nets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hashes); i++) {
        size_t size;
        unsigned char *file =
            st_random_weights(hashes[i].net, hashes[i].version, SEED, &size);
        char detail[256];
        lpips_weights *w;

        assert_non_null(file);
        if (lpips_weights_load_memory(&w, file, size, detail, sizeof detail))
            fail_msg("%s: %s", lpips_net_name(hashes[i].net), detail);
        assert_int_equal(lpips_weights_net(w), hashes[i].net);
        assert_string_equal(lpips_weights_version(w), hashes[i].version);
        assert_string_equal(lpips_weights_hash(w), hashes[i].hash);
        lpips_weights_unref(w);
        free(file);
    }
}

static void check_tensors(const lpips_weights *w, int from)
{
    for (int i = from; i < squeeze.n; i++) {
        const lpips_tensor_spec *spec = &squeeze.names[i];
        const learn_tensor *item = item_of(&squeeze, spec->name);
        const char *part = strrchr(spec->name, '.');
        char layer[64];
        size_t bytes = 4;

        for (int d = 0; d < spec->dims; d++)
            bytes *= (size_t)spec->shape[d];
        snprintf(layer, sizeof layer, "%.*s", (int)(part - spec->name), spec->name);
        assert_ptr_equal(lpips_weights_tensor(w, layer, part + 1), w->tensor[i]);
        assert_int_equal((uintptr_t)w->tensor[i] % sizeof(float), 0);
        assert_memory_equal(w->tensor[i], item->floats, bytes);
    }
}

static void test_tensors(void **state)
{
    lpips_weights *w = accepted(&squeeze, META("squeeze", "0.1"));

    (void)state;
    check_tensors(w, 0);
    assert_null(lpips_weights_tensor(w, "net.slice1.0", "gain"));
    assert_null(lpips_weights_tensor(w, "net.slice1", "weight"));
    assert_null(lpips_weights_tensor(w, "", "weight"));
    lpips_weights_unref(w);
}

static void test_metadata_may_lack(void **state)
{
    static const char *const metadata[] = {NULL, "{}", "{\"format\":\"pt\"}",
                                           "{\"net\":\"squeeze\"}", "{\"version\":\"0.1\"}"};

    (void)state;
    for (size_t i = 0; i < COUNT(metadata); i++) {
        lpips_weights *w = accepted(&squeeze, metadata[i]);

        assert_int_equal(lpips_weights_net(w), LPIPS_NET_SQUEEZE);
        assert_string_equal(lpips_weights_version(w), "0.1");
        assert_string_equal(lpips_weights_hash(w), hashes[2].hash);
        lpips_weights_unref(w);
    }
}

/* 0.0 is computed without a scaling layer, whatever the file holds as one. */
static void test_version_00(void **state)
{
    static const float other[3] = {3, 2, 1};
    static const char *const shift = "scaling_layer.shift", *const scale =
                                                                "scaling_layer.scale";

    (void)state;
    for (int held = 0; held < 3; held++) {
        parts p = squeeze;
        lpips_weights *w;

        if (held == 0) {
            drop(&p, shift);
            drop(&p, scale);
        } else if (held == 1) {
            item_of(&p, scale)->floats = other;
        }
        w = accepted(&p, META("squeeze", "0.0"));
        for (int i = 0; i < 3; i++) {
            assert_true(w->tensor[0][i] == 0);
            assert_true(w->tensor[1][i] == 1);
        }
        check_tensors(w, 2);
        assert_string_equal(lpips_weights_version(w), "0.0");
        assert_string_equal(lpips_weights_hash(w), hashes[3].hash);
        lpips_weights_unref(w);
    }
}

static void test_hash(void **state)
{
    parts p = squeeze;
    float bias[64];
    lpips_weights *w;

    (void)state;
    for (int i = 0; i < p.n; i++)
        p.items[i] = squeeze.items[p.n - 1 - i];
    w = accepted(&p, NULL);
    assert_string_equal(lpips_weights_hash(w), hashes[2].hash);
    lpips_weights_unref(w);

    memcpy(bias, item_of(&p, "net.slice1.0.bias")->floats, sizeof bias);
    bias[63] = nextafterf(bias[63], 1);
    item_of(&p, "net.slice1.0.bias")->floats = bias;
    w = accepted(&p, NULL);
    assert_string_not_equal(lpips_weights_hash(w), hashes[2].hash);
    lpips_weights_unref(w);
}

/* ---- refusals ------------------------------------------------------------- */

static void test_missing(void **state)
{
    (void)state;
    for (int i = 0; i < squeeze.n; i++) {
        parts p = squeeze;
        char sentence[128];

        drop(&p, squeeze.names[i].name);
        snprintf(sentence, sizeof sentence, "%s: missing from these weights of squeeze",
                 squeeze.names[i].name);
        refused(&p, NULL, LPIPS_ERR_TENSOR, sentence);
    }
}

static const struct {
    const char *tensor;
    int dims, shape[4];
    const char *sentence;
} shapes[] = {
    {"lin1.model.1.weight", 4, {1, 64, 1, 1}, "shape [1,64,1,1], expected [1,128,1,1]"},
    {"lin1.model.1.weight", 1, {128}, "shape [128], expected [1,128,1,1]"},
    {"lin1.model.1.weight", 4, {128, 1, 1, 1}, "shape [128,1,1,1], expected [1,128,1,1]"},
    {"net.slice1.0.weight", 4, {3, 3, 3, 64}, "shape [3,3,3,64], expected [64,3,3,3]"},
    {"net.slice1.0.bias", 0, {0}, "shape [], expected [64]"},
    {"net.slice1.0.bias", 2, {64, 1}, "shape [64,1], expected [64]"},
    {"scaling_layer.scale", 1, {3}, "shape [3], expected [1,3,1,1]"},
};

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        parts p = squeeze;
        learn_tensor *item = item_of(&p, shapes[i].tensor);
        char sentence[128];

        item->dims = shapes[i].dims;
        memcpy(item->shape, shapes[i].shape, sizeof item->shape);
        snprintf(sentence, sizeof sentence, "%s: %s", shapes[i].tensor, shapes[i].sentence);
        refused(&p, NULL, LPIPS_ERR_TENSOR, sentence);
    }
}

static const struct {
    const char *tensor;
    int index;
    float value;
    const char *version, *problem; /* NULL: none */
} values[] = {
    {"net.slice1.0.weight", 0, NAN, "0.1", "not finite"},
    {"net.slice1.0.weight", 1727, INFINITY, "0.1", "not finite"},
    {"net.slice7.12.expand3x3.bias", 255, -INFINITY, "0.1", "not finite"},
    {"lin6.model.1.weight", 511, NAN, "0.1", "not finite"},
    {"scaling_layer.shift", 1, NAN, "0.0", "not finite"},
    {"lin0.model.1.weight", 0, -1e-30f, "0.1", "negative, a weight of a distance cannot be"},
    {"lin6.model.1.weight", 511, -1, "0.0", "negative, a weight of a distance cannot be"},
    {"lin3.model.1.weight", 7, -0.0f, "0.1", NULL},
    {"lin3.model.1.weight", 7, 0, "0.1", NULL},
    {"net.slice1.0.weight", 5, -3e38f, "0.1", NULL},
    {"scaling_layer.scale", 0, 0, "0.1", "not above 0"},
    {"scaling_layer.scale", 1, -0.458f, "0.1", "not above 0"},
    {"scaling_layer.scale", 2, 1e-40f, "0.1", "not above 0"},
    {"scaling_layer.scale", 2, 0, "0.0", NULL},
    {"scaling_layer.shift", 2, -1, "0.1", NULL},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        const learn_tensor *item = item_of(&squeeze, values[i].tensor);
        float *place = squeeze.floats + (item->floats - squeeze.floats) + values[i].index;
        float was = *place;
        char sentence[128], metadata[32];

        *place = values[i].value;
        snprintf(metadata, sizeof metadata, "{\"version\":\"%s\"}", values[i].version);
        snprintf(sentence, sizeof sentence, "%s: value %d is %s", values[i].tensor,
                 values[i].index, values[i].problem ? values[i].problem : "");
        if (values[i].problem)
            refused(&squeeze, metadata, LPIPS_ERR_TENSOR, sentence);
        else
            lpips_weights_unref(accepted(&squeeze, metadata));
        *place = was;
    }
}

static void test_extra(void **state)
{
    const learn_tensor *lin = item_of(&squeeze, "lin2.model.1.weight");
    parts p = squeeze;
    float other[256];
    lpips_weights *w;

    (void)state;
    add(&p, "lins.2.model.1.weight", lin);
    w = accepted(&p, NULL);
    assert_string_equal(lpips_weights_hash(w), hashes[2].hash);
    lpips_weights_unref(w);

    memcpy(other, lin->floats, sizeof other);
    other[255] = nextafterf(other[255], 2);
    item_of(&p, "lins.2.model.1.weight")->floats = other;
    refused(&p, NULL, LPIPS_ERR_TENSOR,
            "lins.2.model.1.weight: differs from lin2.model.1.weight, of which it is a copy");
    item_of(&p, "lins.2.model.1.weight")->floats = lin->floats;
    item_of(&p, "lins.2.model.1.weight")->shape[1] = 255;
    refused(&p, NULL, LPIPS_ERR_TENSOR,
            "lins.2.model.1.weight: differs from lin2.model.1.weight, of which it is a copy");

    p = squeeze;
    add(&p, "lins.7.model.1.weight", lin);
    refused(&p, NULL, LPIPS_ERR_TENSOR, "lins.7.model.1.weight: not a tensor of squeeze");
    p = squeeze;
    add(&p, "net.slice8.13.weight", lin);
    refused(&p, NULL, LPIPS_ERR_TENSOR, "net.slice8.13.weight: not a tensor of squeeze");
}

static void test_dtype(void **state)
{
    size_t size;
    unsigned char *file = learn_checkpoint(squeeze.items, squeeze.n, NULL, &size), *at;
    char detail[256];
    lpips_weights *w;

    (void)state;
    assert_non_null(file);
    at = memmem(file, size, "\"lin4.model.1.weight\":{\"dtype\":\"F32\"", 36);
    assert_non_null(at);
    at[32] = 'I';
    assert_int_equal(lpips_weights_load_memory(&w, file, size, detail, sizeof detail),
                     LPIPS_ERR_TENSOR);
    assert_string_equal(
        detail, "lin4.model.1.weight: dtype I32, only F32 is read; save it as float32");
    free(file);
}

static void test_metadata(void **state)
{
    static const learn_tensor other = {"features.0.weight", {1}, 1, NULL};
    parts p = {.items = {other}, .n = 1};

    (void)state;
    refused(&squeeze, "{\"net\":\"alex\"}", LPIPS_ERR_WEIGHTS,
            "metadata says net alex, but the tensors are squeeze's");
    refused(&squeeze, "{\"net\":\"\\u001bx\"}", LPIPS_ERR_WEIGHTS,
            "metadata says net ?x, but the tensors are squeeze's");
    refused(&squeeze, "{\"version\":\"0.2\"}", LPIPS_ERR_UNSUPPORTED,
            "metadata says version 0.2, known are 0.1, 0.0");
    refused(&p, NULL, LPIPS_ERR_TENSOR,
            "no tensor of alex, vgg or squeeze by its official name (net.slice1.0.weight "
            "...); weights/convert.py renames torchvision's");
    p.n = 0;
    refused(&p, "{\"net\":\"alex\"}", LPIPS_ERR_TENSOR,
            "no tensor of alex, vgg or squeeze by its official name (net.slice1.0.weight "
            "...); weights/convert.py renames torchvision's");
}

/* ---- sharing ------------------------------------------------------------- */

static void *take_and_drop(void *arg)
{
    for (int i = 0; i < 10000; i++)
        lpips_weights_unref(lpips_weights_ref(arg));
    return NULL;
}

static void test_references(void **state)
{
    lpips_weights *w = accepted(&squeeze, NULL);
    pthread_t thread[4];

    (void)state;
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_drop, w), 0);
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(atomic_load(&w->refs), 1);
    lpips_weights_unref(w);
    lpips_weights_unref(NULL);
    assert_null(lpips_weights_ref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nets),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_metadata_may_lack),
        cmocka_unit_test(test_version_00),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_extra),
        cmocka_unit_test(test_dtype),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, make_parts, free_parts);
}
