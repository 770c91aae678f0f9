/*
 * cnn_file.c - networks as files: safetensors, a tensor for each of a node's parameters, all
 * that was drawn as metadata.
 */
#include "cnn.h"

#include "../weights/safetensors.h"
#include "batch.h"
#include "csv.h"
#include "data/checkpoint.h"
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 4 * GENERATOR_NODES, NAME = 32 };

typedef struct tensors {
    learn_tensor tensor[TENSORS];
    char name[TENSORS][NAME];
    int n;
    size_t at; /* parameters so far */
} tensors;

/* ---- tensors ------------------------------------------------------------------------------
 */

static void list_one(tensors *t, const float *parameters, int node, const char *what,
                     const int shape[4], int dims)
{
    learn_tensor *to = &t->tensor[t->n];

    snprintf(t->name[t->n], NAME, "%d.%s", node, what);
    *to = (learn_tensor){.name = t->name[t->n], .dims = dims, .floats = parameters + t->at};
    memcpy(to->shape, shape, sizeof to->shape);
    t->at += learn_tensor_count(to->shape, dims);
    t->n++;
}

/* In the order of the parameters. */
static void list(tensors *t, const generator_net *net, const float *parameters)
{
    static const char *const norms[] = {"scale", "shift", "mean", "variance"};

    t->n = 0;
    t->at = 0;
    for (int i = 0; i < net->nodes; i++) {
        const generator_node *d = &net->node[i];
        const int shape[4] = {d->channels, net->node[d->from].channels, d->kernel, d->kernel};

        if (d->op == GENERATOR_CONV) {
            list_one(t, parameters, i, "weight", shape, 4);
            list_one(t, parameters, i, "bias", shape, 1);
        } else if (d->op == GENERATOR_BATCH || d->op == GENERATOR_INSTANCE) {
            for (int k = 0; k < (d->op == GENERATOR_BATCH ? 4 : 2); k++)
                list_one(t, parameters, i, norms[k], shape, 1);
        }
    }
}

uint64_t distort_cnn_mark(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    uint64_t mark = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        mark = (mark ^ b[i]) * UINT64_C(0x100000001b3);
    return mark;
}

/* ---- writing
 * ------------------------------------------------------------------------------- */

static char *metadata(const distort_cnn *c)
{
    char *text = NULL, value[32];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f,
            "{\"made_by\":\"lpips-learn distort train\",\"seed\":\"%" PRIu64
            "\",\"number\":\"%" PRIu64 "\",\"steps\":\"%d\",\"pictures\":\"%016" PRIx64
            "\",\"corrupted\":\"%.9g\",\"restored\":\"%.9g\"",
            c->origin.seed, c->origin.number, c->origin.steps, c->origin.pictures,
            c->fitted.corrupted, c->fitted.restored);
    for (int i = 0; i < GENERATOR_PARAMETERS; i++) {
        generator_print(&c->fitted.design, i, value);
        fprintf(f, ",\"%s\":\"%s\"", generator_name(i), value);
    }
    fputc('}', f);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

int distort_cnn_write(const distort_cnn *c, const char *folder, const char *name,
                      char why[LEARN_WHY])
{
    tensors *t = malloc(sizeof *t);
    char *about = metadata(c);
    unsigned char *bytes = NULL;
    report_file file;
    size_t size;
    int status = -1;

    if (t && about) {
        list(t, &c->fitted.net, c->fitted.parameters);
        bytes = learn_checkpoint(t->tensor, t->n, about, &size);
    }
    if (!bytes) {
        learn_no_memory(why);
    } else if (!report_file_open(&file, folder, name, why)) {
        fwrite(bytes, 1, size, file.f);
        status = report_file_close(&file, 0, why);
    }
    free(bytes);
    free(about);
    free(t);
    return status;
}

/* ---- reading
 * ------------------------------------------------------------------------------- */

static int take_design(generator_design *d, const lpips_safetensors *st, char why[LEARN_WHY])
{
    for (int i = 0; i < GENERATOR_PARAMETERS; i++) {
        const char *text = lpips_st_metadata(st, generator_name(i));

        if (!text)
            return learn_fail(why,
                              "it does not say its %s: it is no network of `lpips-learn "
                              "distort train`",
                              generator_name(i));
        if (generator_take(d, i, text, why))
            return -1;
    }
    return generator_check(d, why);
}

static int take_number(const lpips_safetensors *st, const char *key, int base, uint64_t *out,
                       char why[LEARN_WHY])
{
    const char *text = lpips_st_metadata(st, key);
    char *end;

    if (!text || !*text || strspn(text, "0123456789abcdef") != strlen(text))
        return learn_fail(why, "its %s is no number", key);
    errno = 0;
    *out = strtoull(text, &end, base);
    return *end || errno ? learn_fail(why, "its %s is no number", key) : 0;
}

static int take_level(const lpips_safetensors *st, const char *key, double *out,
                      char why[LEARN_WHY])
{
    const char *text = lpips_st_metadata(st, key);
    char *end = NULL;

    *out = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || !(*out >= 0 && *out <= 255))
        return learn_fail(why, "its %s is no level", key);
    return 0;
}

static int take_origin(distort_cnn *c, const lpips_safetensors *st, char why[LEARN_WHY])
{
    uint64_t steps;

    if (take_number(st, "seed", 10, &c->origin.seed, why) ||
        take_number(st, "number", 10, &c->origin.number, why) ||
        take_number(st, "steps", 10, &steps, why) ||
        take_number(st, "pictures", 16, &c->origin.pictures, why) ||
        take_level(st, "corrupted", &c->fitted.corrupted, why) ||
        take_level(st, "restored", &c->fitted.restored, why))
        return -1;
    if (steps > INT32_MAX)
        return learn_fail(why, "its steps are no number");
    c->origin.steps = (int)steps;
    return 0;
}

static bool same_shape(const lpips_st_tensor *s, const learn_tensor *t)
{
    bool same = s && !strcmp(s->dtype, "F32") && s->dims == t->dims;

    for (int i = 0; same && i < t->dims; i++)
        same = s->shape[i] == (uint64_t)t->shape[i];
    return same;
}

static int check_tensor(const learn_tensor *t, char why[LEARN_WHY])
{
    const size_t n = learn_tensor_count(t->shape, t->dims);
    const bool variance = strstr(t->name, ".variance");

    for (size_t i = 0; i < n; i++)
        if (!isfinite(t->floats[i]) || (variance && t->floats[i] < 0))
            return learn_fail(why, "its tensor %s has a number that cannot be", t->name);
    return 0;
}

static int take_tensors(distort_cnn *c, const lpips_safetensors *st, char why[LEARN_WHY])
{
    generator_fitted *f = &c->fitted;
    tensors *t = malloc(sizeof *t);
    int status = 0;

    f->parameters = calloc(f->net.parameters, sizeof *f->parameters);
    if (!t || !f->parameters) {
        free(t);
        return learn_no_memory(why);
    }
    list(t, &f->net, f->parameters);
    if (lpips_st_count(st) != t->n)
        status = learn_fail(why, "it has %d tensors, where its kind has %d",
                            lpips_st_count(st), t->n);
    for (int i = 0; i < t->n && !status; i++) {
        const lpips_st_tensor *s = lpips_st_find(st, t->name[i]);

        if (!same_shape(s, &t->tensor[i]))
            status =
                learn_fail(why, "its tensor %s is missing or of another shape", t->name[i]);
        else
            lpips_st_floats(s, f->parameters + (t->tensor[i].floats - f->parameters));
    }
    for (int i = 0; i < t->n && !status; i++)
        status = check_tensor(&t->tensor[i], why);
    free(t);
    c->mark = distort_cnn_mark(f->parameters, f->net.parameters * sizeof *f->parameters);
    return status;
}

static void describe(distort_cnn *c, const char *name)
{
    const generator_design *d = &c->fitted.design;
    char v[GENERATOR_PARAMETERS][32];

    for (int i = 0; i < GENERATOR_PARAMETERS; i++)
        generator_print(d, i, v[i]);
    snprintf(c->name, sizeof c->name, "cnn-%.*s", (int)strcspn(name, "."), name);
    snprintf(c->text, sizeof c->text,
             "corruption %s, %s layers of %s to %s channels, %s, norm %s: off by %.1f levels "
             "where %.1f were",
             v[GENERATOR_CORRUPTION], v[GENERATOR_LAYERS], v[GENERATOR_FIRST],
             v[GENERATOR_MOST], v[GENERATOR_GROWTH], v[GENERATOR_NORM], c->fitted.restored,
             c->fitted.corrupted);
}

static int take(distort_cnn *c, const lpips_safetensors *st, char why[LEARN_WHY])
{
    if (take_design(&c->fitted.design, st, why) || take_origin(c, st, why))
        return -1;
    generator_build(&c->fitted.net, &c->fitted.design);
    return take_tensors(c, st, why);
}

int distort_cnn_read(distort_cnn *c, const char *folder, const char *name,
                     char why[LEARN_WHY])
{
    char *path = report_join(folder, name), *bytes = NULL, reason[LEARN_WHY];
    lpips_safetensors *st = NULL;
    size_t size;
    int status = path ? report_read_file(path, &bytes, &size, why) : learn_no_memory(why);

    memset(c, 0, sizeof *c);
    if (!status &&
        (lpips_st_open(&st, bytes, size, reason, sizeof reason) || take(c, st, reason)))
        status = learn_fail(why, "%.200s cannot be used: %.280s", path, reason);
    if (!status)
        describe(c, name);
    lpips_st_close(st);
    free(bytes);
    free(path);
    return status;
}

void distort_cnn_free(distort_cnn *c)
{
    free(c->fitted.parameters);
    c->fitted.parameters = NULL;
}
